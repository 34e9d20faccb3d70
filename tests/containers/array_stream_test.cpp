// SPDX-License-Identifier: BSD-3-Clause
// One PE reads a whole array in order: all accesses and layouts, small and large buffers, with
// skip, step_by, take, chunks and zip, in coroutines, and given up half-way.
#include <algorithm>
#include <iterator>
#include <lamellar/containers/array_stream.hpp>
#include <numeric>
#include <ranges>
#include <span>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

template <class Array>
task<Array> numbered(world& w, std::size_t n) {
  using T = typename Array::value_type;
  auto making = Array::create(w, n);
  Array a = co_await making;
  if (w.me() == w.at(w.size() - 1)) {
    std::vector<T> values(n);
    for (std::size_t k = 0; k < n; ++k) values[k] = static_cast<T>(k * 3);
    co_await a.put(0, values);
  }
  co_await w.barrier();
  co_return a;
}

/// What a stream must give.
std::vector<std::uint64_t> expected(std::size_t first, std::size_t last, std::size_t step) {
  std::vector<std::uint64_t> all;
  for (std::size_t i = first; i < last; i += step) all.push_back(i * 3);
  return all;
}

template <class Range>
std::vector<std::uint64_t> all_of(Range&& range) {
  std::vector<std::uint64_t> all;
  for (const auto& each : range) all.push_back(each);
  return all;
}

template <class Access>
using numbers = array<std::uint64_t, layout::block_cyclic, Access>;

using some_stream = array_stream<numbers<access::atomic>>;
static_assert(std::ranges::input_range<some_stream>);
static_assert(std::ranges::view<some_stream>);
static_assert(std::ranges::input_range<array_chunks<numbers<access::atomic>>>);
static_assert(std::ranges::input_range<zipped<some_stream, some_stream>>);

}  // namespace

TEST_CASE_TEMPLATE("a stream gives all elements in order", Access, access::atomic,
                   access::unsafe, access::local_lock, access::global_lock) {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : {0, 1, 3, 17, 5000}) {
      auto making = numbered<numbers<Access>>(w, n);
      const auto a = co_await making;
      for (const std::size_t room : {0, 1, 7, 1000, 100000}) {
        if (room == 1 && n > 100) continue;
        CHECK(all_of(stream(a, room)) == expected(0, n, 1));
      }
      const auto view = a.sub_array(n / 3, n - n / 3);
      CHECK(all_of(stream(view, 10)) == expected(n / 3, n, 1));
      co_await w.barrier();
    }
  });
}

TEST_CASE_TEMPLATE("skip, take and step_by choose elements", Access, access::atomic,
                   access::local_lock) {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 1000;
    auto making = numbered<numbers<Access>>(w, n);
    const auto a = co_await making;
    CHECK(all_of(stream(a).skip(0)) == expected(0, n, 1));
    CHECK(all_of(stream(a).skip(990)) == expected(990, n, 1));
    CHECK(all_of(stream(a).skip(1000)).empty());
    CHECK(all_of(stream(a).skip(2000)).empty());
    CHECK(all_of(stream(a).take(0)).empty());
    CHECK(all_of(stream(a).take(5)) == expected(0, 5, 1));
    CHECK(all_of(stream(a).take(5000)) == expected(0, n, 1));
    CHECK(all_of(stream(a, 16).step_by(3)) == expected(0, n, 3));
    CHECK(all_of(stream(a, 16).step_by(999)) == expected(0, n, 999));
    CHECK(all_of(stream(a, 16).step_by(5000)) == expected(0, n, 5000));
    CHECK(all_of(stream(a, 16).skip(1).step_by(2).skip(2).take(7)) == expected(5, 19, 2));
    CHECK(all_of(stream(a, 16).step_by(2).step_by(3).take(4)) == expected(0, 24, 6));
    CHECK(all_of(stream(a, 16).take(10).step_by(4)) == expected(0, 10, 4));
    CHECK(stream(a).step_by(3).size() == 334);
    co_await w.barrier();
  });
}

TEST_CASE("chunks are rows, the last one perhaps shorter") {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : {0, 1, 100, 1003}) {
      auto making = numbered<numbers<access::atomic>>(w, n);
      const auto a = co_await making;
      for (const std::size_t width : {1, 7, 50, 2000}) {
        if (width == 1 && n > 100) continue;
        std::vector<std::uint64_t> all;
        std::size_t rows = 0;
        for (const auto row : stream(a, 20).chunks(width)) {
          CHECK(row.size() == std::min(width, n - rows * width));
          all.insert(all.end(), row.begin(), row.end());
          ++rows;
        }
        CHECK(rows == (n + width - 1) / width);
        CHECK(all == expected(0, n, 1));
      }
      co_await w.barrier();
    }
  });
}

TEST_CASE("two streams are zipped, as long as both have elements") {
  on_pes([](world& w) -> task<> {
    auto m1 = numbered<numbers<access::atomic>>(w, 300);
    const auto a = co_await m1;
    auto m2 = numbered<array<std::uint32_t, layout::cyclic, access::local_lock>>(w, 200);
    const auto b = co_await m2;
    std::uint64_t k = 0;
    for (const auto& [x, y] : zip(stream(a, 32).skip(100), stream(b, 7))) {
      CHECK(x == 300 + k * 3);
      CHECK(y == k * 3);
      ++k;
    }
    CHECK(k == 200);
    co_await w.barrier();
  });
}

TEST_CASE("ranges take streams") {
  on_pes([](world& w) -> task<> {
    auto making = numbered<numbers<access::atomic>>(w, 1000);
    const auto a = co_await making;
    std::uint64_t sum = 0;
    for (const auto each :
         stream(a, 64) | std::views::filter([](auto v) { return v % 2 == 0; }) |
             std::views::transform([](auto v) { return v / 2; }) | std::views::take(100)) {
      sum += each;
    }
    CHECK(sum == 3 * 99 * 100 / 2);
    auto all = stream(a, 100);
    CHECK(*std::ranges::find_if(all, [](auto v) { return v > 1000; }) == 1002);
    auto again = stream(a, 100);
    CHECK(std::ranges::count_if(again, [](auto v) { return v < 300; }) == 100);
    co_await w.barrier();
  });
}

TEST_CASE_TEMPLATE("a coroutine takes buffer after buffer", Access, access::atomic,
                   access::global_lock) {
  on_pes([](world& w) -> task<> {
    auto making = numbered<numbers<Access>>(w, 1000);
    const auto a = co_await making;
    auto rows = stream(a, 64);
    std::vector<std::uint64_t> all;
    for (;;) {
      auto next = rows.next();
      const std::span<const std::uint64_t> row = co_await next;
      if (row.empty()) break;
      CHECK(row.size() == std::min<std::size_t>(64, 1000 - all.size()));
      all.insert(all.end(), row.begin(), row.end());
    }
    CHECK(all == expected(0, 1000, 1));
    auto after = rows.next();
    const auto nothing = co_await after;
    CHECK(nothing.empty());
    co_await w.barrier();
  });
}

TEST_CASE_TEMPLATE("a stream may be given up, and moved before it is read", Access,
                   access::atomic, access::local_lock) {
  on_pes([](world& w) -> task<> {
    auto making = numbered<numbers<Access>>(w, 10000);
    const auto a = co_await making;
    std::uint64_t seen = 0;
    for (const auto each : stream(a, 100)) {
      seen = each;
      if (each == 3 * 150) break;
    }
    CHECK(seen == 450);
    {
      auto unread = stream(a, 10);
      auto moved = std::move(unread).skip(5);
      CHECK(*moved.begin() == 15);
    }
    co_await w.quiesce();
  });
}

TEST_CASE("elements that own memory, and bool") {
  on_pes([](world& w) -> task<> {
    auto m1 = atomic_array<std::string>::create(w, 40);
    const auto texts = co_await m1;
    auto m2 = unsafe_array<bool, layout::cyclic>::create(w, 40);
    const auto flags = co_await m2;
    for (std::size_t i = 0; i < 40; ++i) {
      if (texts.owner(i) == w.me()) texts.store(i, std::string(i, 'x'));
      if (flags.owner(i) == w.me()) flags.store(i, i % 3 == 0);
    }
    co_await w.quiesce();
    std::size_t i = 0;
    for (const auto& [text, flag] : zip(stream(texts, 3), stream(flags))) {
      CHECK(text.size() == i);
      CHECK(flag == (i % 3 == 0));
      ++i;
    }
    CHECK(i == 40);
    co_await w.barrier();
  });
}
