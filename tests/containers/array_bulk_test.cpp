// SPDX-License-Identifier: BSD-3-Clause
// Ranges of elements: put, get, at, gather_into, for all layouts and accesses, on views, for
// elements that own memory.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <lamellar/containers/array.hpp>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::seeded;

namespace {

/// Three bytes: no processor changes it in one instruction.
struct rgb {
  std::uint8_t r = 0, g = 0, b = 0;
  friend bool operator==(const rgb&, const rgb&) = default;
};

/// A value that tells index and round.
template <class T>
T made_from(std::size_t k) {
  if constexpr (std::same_as<T, std::string>) {
    return fmt::format("number {} and some more characters", k);
  } else if constexpr (std::same_as<T, rgb>) {
    return {static_cast<std::uint8_t>(k), static_cast<std::uint8_t>(k >> 8),
            static_cast<std::uint8_t>(k >> 16)};
  } else if constexpr (std::same_as<T, bool>) {
    return (k * 7 + k / 3) % 2 == 0;
  } else {
    return static_cast<T>(k * 11);
  }
}

/// std::vector<bool> has no elements.
template <class T>
struct row {
  std::unique_ptr<T[]> data;
  std::size_t size;
  explicit row(std::size_t n) : data{new T[n]()}, size{n} {}
  row(std::size_t n, std::size_t from) : row{n} {
    for (std::size_t k = 0; k < n; ++k) data[k] = made_from<T>(from + k);
  }
  std::span<T> all() const { return {data.get(), size}; }
};

template <class T>
std::size_t differing(std::span<const T> got, std::size_t from) {
  std::size_t wrong = 0;
  for (std::size_t k = 0; k < got.size(); ++k) wrong += !(got[k] == made_from<T>(from + k));
  return wrong;
}

template <class Array, class... How>
task<> put_and_get(world& w, std::size_t n, How... how) {
  using T = typename Array::value_type;
  auto making = Array::create(w, n, how...);
  const auto a = co_await making;
  // Each PE writes its share of the indices, which others own as well.
  const std::size_t begin = n * w.me().index() / w.size();
  const std::size_t end = n * (w.me().index() + 1) / w.size();
  const row<T> mine(end - begin, begin);
  co_await a.put(begin, mine.all());
  co_await w.barrier();
  const row<T> got(n);
  co_await a.get(0, got.all());
  CHECK(differing<T>(got.all(), 0) == 0);
  auto random = seeded(w, n + 17 * w.me().index());
  for (int k = 0; k < 20; ++k) {
    const std::size_t first = random() % (n + 1);
    const std::size_t count = random() % (n - first + 1);
    std::fill(got.all().begin(), got.all().end(), T{});
    co_await a.get(first, got.all().first(count));
    CHECK(differing<T>(got.all().first(count), first) == 0);
    // A view has indices of its own; the rest of the target stays as it is.
    const auto view = a.sub_array(first, count);
    const std::size_t into_view = random() % (count + 1);
    std::fill(got.all().begin(), got.all().end(), T{});
    co_await view.get(into_view, got.all().first(count - into_view));
    CHECK(differing<T>(got.all().first(count - into_view), first + into_view) == 0);
    CHECK(std::all_of(got.all().begin() + static_cast<std::ptrdiff_t>(count - into_view),
                      got.all().end(), [](const T& each) { return each == T{}; }));
    if (first < n) CHECK(co_await a.at(first) == made_from<T>(first));
  }
  // Lists of places.
  std::vector<std::uint32_t> places(n == 0 ? 0 : 300);
  for (auto& each : places) each = static_cast<std::uint32_t>(random() % n);
  const row<T> gathered(places.size());
  co_await a.gather_into(places, gathered.all());
  for (std::size_t k = 0; k < places.size(); ++k) {
    CHECK(gathered.all()[k] == made_from<T>(places[k]));
  }
  co_await w.barrier();
}

const std::vector<std::size_t> sizes{0, 1, 3, 17, 1001};

}  // namespace

TEST_CASE_TEMPLATE("what was put is got, by all layouts", Access, access::atomic,
                   access::unsafe, access::local_lock, access::global_lock) {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : sizes) {
      auto t1 = put_and_get<array<std::uint64_t, layout::block, Access>>(w, n);
      co_await t1;
      auto t2 = put_and_get<array<std::uint64_t, layout::cyclic, Access>>(w, n);
      co_await t2;
      auto t3 =
          put_and_get<array<std::uint64_t, layout::block_cyclic, Access>>(w, n, std::size_t{5});
      co_await t3;
      auto t4 = put_and_get<array<std::uint64_t, layout::block_cyclic, Access>>(w, n);
      co_await t4;
    }
  });
}

TEST_CASE_TEMPLATE("elements of all kinds", T, bool, std::int16_t, rgb, std::string) {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : {std::size_t{3}, std::size_t{701}}) {
      auto t1 = put_and_get<atomic_array<T, layout::block_cyclic>>(w, n, std::size_t{3});
      co_await t1;
      auto t2 = put_and_get<global_lock_array<T, layout::block_cyclic>>(w, n, std::size_t{64});
      co_await t2;
    }
  });
}

TEST_CASE_TEMPLATE("ranges of many pieces", Access, access::atomic, access::unsafe,
                   access::local_lock, access::global_lock) {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 300007 / lamellar::testing::work_divisor;
    auto t1 = put_and_get<array<std::uint64_t, layout::block, Access>>(w, n);
    co_await t1;
    auto t2 = put_and_get<array<std::uint64_t, layout::cyclic, Access>>(w, n);
    co_await t2;
  });
}

TEST_CASE("a read-only array gives what was there") {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 5000;
    auto making = unsafe_array<std::uint64_t, layout::cyclic>::create(w, n);
    auto a = co_await making;
    for (std::size_t k = 0; k < a.local_size(); ++k) {
      a.local()[k] = made_from<std::uint64_t>(a.global_index(k));
    }
    auto changing = std::move(a).into_read_only();
    const auto fixed = co_await changing;
    const row<std::uint64_t> got(n);
    co_await fixed.get(0, got.all());
    CHECK(differing<std::uint64_t>(got.all(), 0) == 0);
    co_await w.barrier();
  });
}

TEST_CASE("a get sees what its thread has done before, a put does not undo it") {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 64;
    auto making = atomic_array<std::uint32_t>::create(w, n * w.size());
    const auto a = co_await making;
    const std::size_t mine = n * w.me().index();
    std::vector<std::uint32_t> got(n);
    for (std::uint32_t round = 1; round < 50; ++round) {
      const std::vector<std::uint32_t> zeros(n, round);
      co_await a.put(mine, zeros);
      if (w.able().mapped) {
        for (std::size_t k = 0; k < n; ++k) a.add(mine + k, 5);
      } else {
        for (std::size_t k = 0; k < n; ++k)
          static_cast<void>(co_await a.fetch_add(mine + k, 5));
      }
      co_await a.get(mine, got);
      CHECK(got == std::vector<std::uint32_t>(n, round + 5));
    }
    co_await w.barrier();
  });
}

TEST_CASE("no element is torn while others put and get") {
  on_pes([](world& w) -> task<> {
    // Every element is one number in all its bytes.
    const std::size_t n = 999;
    const int rounds = 200 / lamellar::testing::work_divisor + 1;
    auto m1 = atomic_array<std::uint64_t>::create(w, n);
    const auto words = co_await m1;
    auto m2 = atomic_array<std::array<std::uint64_t, 3>>::create(w, n);
    const auto wide = co_await m2;
    auto m3 = atomic_array<std::uint16_t, layout::cyclic>::create(w, n);
    const auto halves = co_await m3;
    std::vector<std::uint64_t> got(n);
    std::vector<std::array<std::uint64_t, 3>> got_wide(n);
    std::vector<std::uint16_t> got_halves(n);
    std::size_t torn = 0;
    for (int k = 0; k < rounds; ++k) {
      const std::uint64_t digit = (w.me().index() * 50 + static_cast<unsigned>(k)) % 256;
      const std::uint64_t value = digit * 0x0101010101010101U;
      co_await words.put(0, std::vector<std::uint64_t>(n, value));
      const std::vector<std::array<std::uint64_t, 3>> threes(n, {value, value, value});
      co_await wide.put(0, threes);
      co_await halves.put(0, std::vector<std::uint16_t>(n, static_cast<std::uint16_t>(value)));
      co_await words.get(0, got);
      co_await wide.get(0, got_wide);
      co_await halves.get(0, got_halves);
      for (std::size_t i = 0; i < n; ++i) {
        torn += got[i] % 256 * 0x0101010101010101U != got[i];
        torn += got_wide[i][0] != got_wide[i][1] || got_wide[i][1] != got_wide[i][2];
        torn += got_halves[i] % 256 != got_halves[i] / 256;
      }
    }
    CHECK(torn == 0);
    co_await w.barrier();
  });
}

TEST_CASE("a range under the global lock is whole") {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 500;
    auto making = global_lock_array<std::uint32_t>::create(w, n);
    const auto a = co_await making;
    std::vector<std::uint32_t> got(n);
    std::size_t mixed = 0;
    for (std::uint32_t k = 0; k < 30; ++k) {
      const std::vector<std::uint32_t> values(n, w.me().index() * 100 + k);
      co_await a.put(0, values);
      co_await a.get(0, got);
      mixed += std::any_of(got.begin(), got.end(), [&](auto v) { return v != got[0]; });
    }
    CHECK(mixed == 0);
    co_await w.barrier();
  });
}

TEST_CASE("what an owner has of a long range is whole under its lock") {
  on_pes([](world& w) -> task<> {
    if (!w.able().mapped) co_return;
    const std::size_t each = 2000;  // long enough for the caller to copy
    const std::size_t n = each * w.size();
    auto making = local_lock_array<std::uint64_t>::create(w, n);
    const auto a = co_await making;
    std::vector<std::uint64_t> got(n);
    std::size_t mixed = 0;
    for (std::uint32_t k = 0; k < 20; ++k) {
      co_await a.put(0, std::vector<std::uint64_t>(n, w.me().index() * 100 + k));
      co_await a.get(0, got);
      for (std::size_t i = 0; i < n; ++i) mixed += got[i] != got[i / each * each];
      auto guard = co_await a.write_lock();
      for (auto& element : guard) element = 7;
    }
    CHECK(mixed == 0);
    co_await w.barrier();
  });
}

TEST_CASE("a dropped put happens all the same, and wait_all covers it") {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 100;
    auto m1 = local_lock_array<std::uint64_t>::create(w, n * w.size());
    const auto a = co_await m1;
    auto m2 = global_lock_array<std::uint64_t>::create(w, n * w.size());
    const auto b = co_await m2;
    {
      const row<std::uint64_t> values(n, n * w.me().index());
      static_cast<void>(a.put(n * w.me().index(), values.all()));
      static_cast<void>(b.put(n * w.me().index(), values.all()));
    }
    co_await w.quiesce();
    const row<std::uint64_t> got(a.size());
    co_await a.get(0, got.all());
    CHECK(differing<std::uint64_t>(got.all(), 0) == 0);
    co_await b.get(0, got.all());
    CHECK(differing<std::uint64_t>(got.all(), 0) == 0);
    co_await w.barrier();
  });
}

TEST_CASE("on a team") {
  on_pes([](world& w) -> task<> {
    const team all{w};
    auto splitting = all.split(w.me().index() % 2, w.size() - w.me().index());
    const team mine = co_await splitting;
    auto making = atomic_array<std::uint64_t, layout::cyclic>::create(mine, 777);
    const auto a = co_await making;
    const row<std::uint64_t> values(777, 0);
    if (mine.position().index() == 0) co_await a.put(0, values.all());
    co_await mine.barrier();
    const row<std::uint64_t> got(777);
    co_await a.get(0, got.all());
    CHECK(differing<std::uint64_t>(got.all(), 0) == 0);
    co_await w.barrier();
  });
}
