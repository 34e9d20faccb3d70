// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "fabric/message_numbers.hpp"
#include "fabric_group.hpp"

using namespace lamellar::lamellae;

namespace {

/// Who sends `count` messages to whom, each a size from `sizes` by turns, as buffers allow.
class stream {
 public:
  stream(fabric_group& group, std::uint32_t from, std::uint32_t to, std::uint64_t count,
         std::vector<std::uint32_t> sizes)
      : group_{group}, from_{from}, to_{to}, count_{count}, sizes_{std::move(sizes)} {}

  void go_on() {
    for (int k = 0; k < 64 && sent_ < count_; ++k) {
      if (!send_words(group_[from_], to_, {from_, sent_}, size_of(sent_))) return;
      ++sent_;
    }
  }
  /// False: this is not the message that comes next, or not as it was sent.
  bool take(const fabric_arrival& what) {
    const auto [from, number] = words_of(what);
    const bool right =
        from == from_ && number == taken_ && what.bytes == size_of(number) && is_whole(what);
    ++taken_;
    return right;
  }
  bool complete() const { return taken_ == count_; }

 private:
  std::uint32_t size_of(std::uint64_t number) const { return sizes_[number % sizes_.size()]; }

  fabric_group& group_;
  const std::uint32_t from_;
  const std::uint32_t to_;
  const std::uint64_t count_;
  const std::vector<std::uint32_t> sizes_;
  std::uint64_t sent_ = 0;
  std::uint64_t taken_ = 0;
};

std::vector<std::uint32_t> all_sizes_to(std::uint32_t longest) {
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t bytes = 16; bytes <= longest; bytes += 16) sizes.push_back(bytes);
  return sizes;
}

}  // namespace

TEST_CASE("messages of all sizes arrive whole, aligned and in order") {
  fabric_group group{2};
  stream sent{group, 0, 1, 1024, all_sizes_to(16384)};
  std::uint64_t wrong = 0;
  CHECK(group.until(
      [&] {
        sent.go_on();
        return sent.complete();
      },
      [&](std::uint32_t pe, const fabric_arrival& what) {
        wrong += pe != 1 || !sent.take(what);
        group[pe].release(what);
      }));
  CHECK(wrong == 0);
  CHECK(group.until([&] { return !group[0].busy(); }));
  CHECK_FALSE(group[0].failure().has_value());
  CHECK_FALSE(group[1].failure().has_value());
}

TEST_CASE("long messages do not fall behind short ones that were sent after them") {
  fabric_choice choice = tested_choice();
  choice.message_bytes = 1 << 20;
  choice.expected_messages = 16;
  fabric_group group{2, choice};
  stream sent{group, 0, 1, 600, {1 << 20, 16, 48, 32768, 16, 200000, 16, 4096, 16, 64, 144}};
  std::uint64_t wrong = 0;
  CHECK(group.until(
      [&] {
        sent.go_on();
        return sent.complete();
      },
      [&](std::uint32_t pe, const fabric_arrival& what) {
        wrong += !sent.take(what);
        group[pe].release(what);
      }));
  CHECK(wrong == 0);
}

TEST_CASE("a hundred thousand small messages pass while many of them are held for long") {
  fabric_choice choice = tested_choice();
  choice.expected_messages = 16;  // few receive buffers
  fabric_group group{2, choice};
  stream sent{group, 0, 1, 100000, {16, 32, 64, 80, 16, 1024}};
  std::mt19937 random{1};
  std::vector<std::pair<fabric_arrival, std::array<std::uint64_t, 2>>> held;
  std::uint64_t wrong = 0;
  const auto release_one = [&] {
    std::swap(held[random() % held.size()], held.back());
    // What is held must not have been written over.
    wrong += words_of(held.back().first) != held.back().second || !is_whole(held.back().first);
    group[1].release(held.back().first);
    held.pop_back();
  };
  CHECK(group.until(
      [&] {
        sent.go_on();
        return sent.complete();
      },
      [&](std::uint32_t, const fabric_arrival& what) {
        wrong += !sent.take(what);
        held.emplace_back(what, words_of(what));
        if (held.size() > 500) release_one();
      }));
  while (!held.empty()) release_one();
  CHECK(wrong == 0);
}

TEST_CASE("floods in all directions at once neither stop nor mix") {
  fabric_group group{3};
  std::vector<stream> streams;
  for (std::uint32_t from = 0; from < 3; ++from) {
    for (std::uint32_t to = 0; to < 3; ++to) {
      streams.emplace_back(group, from, to, 3000,
                           std::vector<std::uint32_t>{16, 16384, 256, 48, 8192});
    }
  }
  std::uint64_t wrong = 0;
  CHECK(group.until(
      [&] {
        for (stream& one : streams) one.go_on();
        return std::all_of(streams.begin(), streams.end(),
                           [](const stream& one) { return one.complete(); });
      },
      [&](std::uint32_t pe, const fabric_arrival& what) {
        wrong += !streams[words_of(what)[0] * 3 + pe].take(what);
        group[pe].release(what);
      }));
  CHECK(wrong == 0);
}

TEST_CASE("a buffer that is given back is there again, and their number is bounded") {
  fabric_group group{1};
  std::vector<std::byte*> taken;
  while (std::byte* const buffer = group[0].take_buffer()) {
    CHECK(reinterpret_cast<std::uintptr_t>(buffer) % 64 == 0);
    taken.push_back(buffer);
    REQUIRE(taken.size() < 10000);
  }
  CHECK(taken.size() >= tested_choice().expected_messages);
  group[0].give_back(taken.back());
  CHECK(group[0].take_buffer() == taken.back());
  CHECK_FALSE(group[0].busy());
}

TEST_CASE("what is sent counts as under way until the network has it") {
  fabric_group group{2};
  // Nobody is connected yet: a message cannot have left.
  REQUIRE(send_words(group[0], 1, {0, 1}, 8192));
  CHECK(group[0].busy());
  std::uint32_t arrived = 0;
  CHECK(group.until([&] { return arrived == 1 && !group[0].busy(); },
                    [&](std::uint32_t pe, const fabric_arrival& what) {
                      ++arrived;
                      group[pe].release(what);
                    }));
}

TEST_CASE("messages that are too long neither reach the receiver nor stop others") {
  fabric_choice shorter = tested_choice();
  shorter.message_bytes = 2048;
  fabric receiver{shorter};
  fabric peer{shorter};
  fabric stranger{tested_choice()};
  const std::vector<std::vector<std::byte>> addresses{receiver.address(), peer.address()};
  receiver.connect(addresses, 0);
  peer.connect(addresses, 1);
  stranger.connect(addresses, 1);
  std::uint64_t sent = 0;
  std::uint64_t right = 0;
  std::uint64_t wrong = 0;
  std::uint64_t by_stranger = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (right < 2000 && std::chrono::steady_clock::now() < deadline) {
    if (sent < 2000 && sent <= right + 8 && send_words(peer, 0, {1, sent}, 1024)) ++sent;
    if (by_stranger < 50 && right > 20 * by_stranger &&
        send_words(stranger, 0, {7, 0}, by_stranger % 2 == 0 ? 16384 : 2064)) {
      ++by_stranger;
    }
    std::array<fabric_arrival, 16> arrivals;
    peer.poll(arrivals);
    stranger.poll(arrivals);
    const std::uint32_t count = receiver.poll(arrivals);
    for (std::uint32_t k = 0; k < count; ++k) {
      const bool whole = arrivals[k].bytes == 1024 && is_whole(arrivals[k]);
      wrong += !whole || words_of(arrivals[k]) != std::array<std::uint64_t, 2>{1, right};
      ++right;
      receiver.release(arrivals[k]);
    }
  }
  CHECK(right == 2000);
  CHECK(wrong == 0);
  CHECK(receiver.ignored() > 0);
  CHECK(peer.ignored() == 0);
  CHECK_FALSE(receiver.failure().has_value());
}

TEST_CASE("two threads send while a third polls") {
  fabric_choice choice = tested_choice();
  fabric_group group{2, choice};
  constexpr std::uint64_t each = 10000;
  std::atomic<bool> gave_up{false};
  const auto send_all = [&](std::uint64_t who) {
    for (std::uint64_t k = 0; k < each && !gave_up.load();) {
      const bool sent = send_words(group[0], 1, {who, k}, k % 5 == 0 ? 4096 : 16);
      if (sent) {
        ++k;
      } else {
        std::this_thread::yield();
      }
    }
  };
  std::thread first{send_all, 0};
  std::thread second{send_all, 1};
  std::array<std::uint64_t, 2> next{};
  std::uint64_t wrong = 0;
  CHECK(group.until([&] { return next[0] == each && next[1] == each; },
                    [&](std::uint32_t pe, const fabric_arrival& what) {
                      const auto [who, number] = words_of(what);
                      wrong += !is_whole(what) || number != next[who];
                      ++next[who];
                      group[pe].release(what);
                    }));
  gave_up = true;
  first.join();
  second.join();
  CHECK(wrong == 0);
}

TEST_CASE("the number of a message says who sent it, and how far ahead it is") {
  fi_domain_attr domain{};
  fi_rx_attr receiving{};
  fi_info info{};
  info.domain_attr = &domain;
  info.rx_attr = &receiving;
  for (const std::size_t bytes : {4, 8}) {
    domain.cq_data_size = bytes;
    const message_numbers numbers{info, 1000};
    REQUIRE(numbers);
    for (const std::uint32_t next : {0u, 1u, 40000u, 65535u, 65536u, ~0u}) {
      for (const std::int32_t ahead : {0, 1, 1000, -1, -1000}) {
        const std::uint64_t word = numbers.word(999, next + static_cast<std::uint32_t>(ahead));
        CHECK((bytes == 8 || (word >> 32) == 0));
        CHECK(numbers.from(word) == 999);
        CHECK(numbers.ahead(word, next) == ahead);
      }
    }
  }
  domain.cq_data_size = 4;
  CHECK_FALSE(message_numbers{info, 65537});
  domain.cq_data_size = 0;
  CHECK_FALSE(message_numbers{info, 2});
}
