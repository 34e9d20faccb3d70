// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <lamellar/lamellae/error.hpp>
#include <numeric>
#include <set>
#include <span>
#include <thread>
#include <vector>

#include "fabric_group.hpp"

using namespace lamellar::lamellae;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// Bytes that tell their place and `seed`.
std::vector<std::byte> pattern(std::size_t bytes, std::uint64_t seed) {
  std::vector<std::byte> made(bytes);
  for (std::size_t k = 0; k < bytes; ++k) {
    made[k] = static_cast<std::byte>((seed + k * 0x9e3779b97f4a7c15) >> 56);
  }
  return made;
}

bool all_are(std::span<const std::byte> bytes, std::byte value) {
  return std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) { return b == value; });
}

void put_and_get_of_every_size(const fabric_choice& choice) {
  fabric_group group{2, choice};
  constexpr std::size_t margin = 64;
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{64}, std::size_t{4096},
        std::size_t{65537}, mib, 8 * mib}) {
    CAPTURE(bytes);
    std::vector<std::byte> memory(bytes + 2 * margin, std::byte{0xee});
    const exposed_memory there = group[1].expose(memory);
    REQUIRE(there.name.reachable);
    const std::vector<std::byte> source = pattern(bytes, bytes);
    transfer done;
    CHECK(group.completed(done,
                          [&] { return group[0].put(1, there.name, margin, source, done); }));
    CHECK(std::equal(source.begin(), source.end(), memory.begin() + margin));
    CHECK(all_are(std::span{memory}.first(margin), std::byte{0xee}));
    CHECK(all_are(std::span{memory}.last(margin), std::byte{0xee}));

    std::vector<std::byte> back(bytes);
    CHECK(
        group.completed(done, [&] { return group[0].get(1, there.name, margin, back, done); }));
    CHECK(back == source);
    group[1].hide(there);
  }
  CHECK_FALSE(group[0].busy());
  CHECK_FALSE(group[0].failure().has_value());
}

}  // namespace

TEST_CASE("what is put is there when the put is complete, and a get fetches it") {
  put_and_get_of_every_size(tested_choice());
}

TEST_CASE("they work where memory of this side is registered too") {
  fabric_choice choice = tested_choice();
  choice.register_local_memory = true;
  put_and_get_of_every_size(choice);
  // Memory that is exposed needs no registration of its own.
  fabric_group group{2, choice};
  std::vector<std::byte> memory(mib);
  const std::vector<std::byte> source = pattern(mib, 1);
  std::vector<std::byte> copy = source;
  const exposed_memory there = group[1].expose(memory);
  static_cast<void>(group[0].expose(copy));
  fabric::refuse_registration_after(0);
  transfer done;
  CHECK(group.completed(done, [&] { return group[0].put(1, there.name, 0, copy, done); }));
  CHECK(memory == source);
  CHECK_THROWS_AS(group[0].put(1, there.name, 0, source, done), lamellar::out_of_memory);
  CHECK(done.pending == 0);
}

TEST_CASE("puts to parts of the same memory, by two PEs at once, leave each other alone") {
  fabric_group group{3};
  std::vector<std::byte> memory(2 * mib);
  const exposed_memory there = group[2].expose(memory);
  const std::vector<std::byte> low = pattern(mib, 3);
  const std::vector<std::byte> high = pattern(mib, 4);
  transfer done;
  bool first = false;
  bool second = false;
  CHECK(group.completed(done, [&] {
    first = first || group[0].put(2, there.name, 0, low, done);
    second = second || group[1].put(2, there.name, mib, high, done);
    return first && second;
  }));
  CHECK(std::equal(low.begin(), low.end(), memory.begin()));
  CHECK(std::equal(high.begin(), high.end(), memory.begin() + mib));
}

TEST_CASE("transfers beyond what may be under way are refused for now, never lost") {
  fabric_group group{2};
  constexpr std::size_t count = 5000;
  std::vector<std::uint64_t> memory(count);
  std::vector<std::uint64_t> source(count);
  std::iota(source.begin(), source.end(), 1);
  const exposed_memory there = group[1].expose(std::as_writable_bytes(std::span{memory}));
  transfer done;
  std::size_t begun = 0;
  std::size_t refused = 0;
  CHECK(group.completed(done, [&] {
    while (begun < count) {
      const auto word = std::as_bytes(std::span{source}.subspan(begun, 1));
      if (!group[0].put(1, there.name, 8 * begun, word, done)) {
        ++refused;
        break;
      }
      ++begun;
      CHECK(done.pending > 0);
    }
    return begun == count;
  }));
  CHECK(refused > 0);
  CHECK(memory == source);
}

TEST_CASE("a transfer of nothing is complete at once") {
  fabric_group group{2};
  std::vector<std::byte> memory(64);
  const exposed_memory there = group[1].expose(memory);
  transfer done;
  CHECK(group[0].put(1, there.name, 0, {}, done));
  CHECK(group[0].get(1, there.name, 64, {}, done));
  CHECK(done.pending == 0);
}

TEST_CASE("keys that the fabric chooses cannot be guessed from one another") {
  fabric_group group{2};
  if (!group[0].able().chooses_keys) return;
  std::vector<std::byte> memory(4096);
  std::set<std::uint64_t> keys;
  std::uint64_t high_halves = 0;
  for (int k = 0; k < 64; ++k) {
    const exposed_memory one = group[k % 2].expose(memory);
    CHECK(keys.insert(one.name.key).second);
    high_halves |= one.name.key >> 32;
    group[k % 2].hide(one);
  }
  for (auto key = keys.begin(); std::next(key) != keys.end(); ++key) {
    CHECK(*std::next(key) - *key > 1000);
  }
  CHECK(high_halves > 0xffff);
}

TEST_CASE("fetch_add fetches and adds, once for each call of each PE") {
  fabric_group group{3};
  if (!group[0].able().atomics) {
    MESSAGE("this provider has no atomics that work");
    return;
  }
  std::vector<std::uint64_t> words{5, 100, 7};
  const exposed_memory there = group[2].expose(std::as_writable_bytes(std::span{words}));
  constexpr std::size_t each = 500;
  std::vector<std::uint64_t> before(2 * each);
  transfer done;
  std::size_t begun = 0;
  CHECK(group.completed(done, [&] {
    for (; begun < before.size(); ++begun) {
      if (!group[begun % 2].fetch_add(2, there.name, 8, 3, before[begun], done)) break;
    }
    return begun == before.size();
  }));
  CHECK(words == std::vector<std::uint64_t>{5, 100 + 3 * 2 * each, 7});
  std::sort(before.begin(), before.end());
  for (std::size_t k = 0; k < before.size(); ++k) CHECK(before[k] == 100 + 3 * k);
}

TEST_CASE("a refused registration is an exception that says what to raise, once") {
  fabric_group group{1};
  std::vector<std::byte> memory(4096);
  fabric::refuse_registration_after(1);
  group[0].hide(group[0].expose(memory));
  CHECK_THROWS_WITH_AS(static_cast<void>(group[0].expose(memory)),
                       doctest::Contains("ulimit -l"), lamellar::out_of_memory);
  group[0].hide(group[0].expose(memory));
}

TEST_CASE("threads put and get while another one polls") {
  fabric_choice choice = tested_choice();
  fabric_group group{2, choice};
  constexpr std::size_t each = 300;
  constexpr std::size_t words = 512;
  std::vector<std::uint64_t> memory(2 * words);
  const exposed_memory there = group[1].expose(std::as_writable_bytes(std::span{memory}));
  std::atomic<int> finished{0};
  std::atomic<std::uint64_t> wrong{0};
  const auto work = [&](std::size_t who) {
    const auto wait_for = [](transfer& done) {
      while (done.pending.load(std::memory_order_acquire) != 0) std::this_thread::yield();
    };
    for (std::size_t k = 0; k < each; ++k) {
      std::vector<std::uint64_t> mine(words, who * each + k);
      std::vector<std::uint64_t> back(words);
      transfer done;
      const std::uint64_t at = 8 * words * who;
      while (!group[0].put(1, there.name, at, std::as_bytes(std::span{mine}), done)) {
        std::this_thread::yield();
      }
      wait_for(done);
      while (!group[0].get(1, there.name, at, std::as_writable_bytes(std::span{back}), done)) {
        std::this_thread::yield();
      }
      wait_for(done);
      wrong += back != mine || done.failed;
    }
    ++finished;
  };
  std::thread first{work, 0};
  std::thread second{work, 1};
  // A thread that waits for good would hang the test: CTest's limit ends it.
  CHECK(group.until([&] { return finished == 2; }));
  first.join();
  second.join();
  CHECK(wrong == 0);
}
