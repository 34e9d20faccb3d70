// SPDX-License-Identifier: BSD-3-Clause
// Reductions of arrays, one-sided and collective.
#include <cmath>
#include <cstdint>
#include <lamellar/containers/local_elements.hpp>
#include <lamellar/containers/reductions.hpp>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::seeded;

namespace {

const std::vector<std::size_t> sizes{0, 1, 3, 17, 1001, 70001};

using number = std::int64_t;
using cyclic_unsafe = unsafe_array<number, layout::cyclic>;
using dealt_atomic = atomic_array<number, layout::block_cyclic>;
using cyclic_read_only = read_only_array<number, layout::cyclic>;
using dealt_global = global_lock_array<number, layout::block_cyclic>;

/// An array of the value that `f` gives for each index.
template <class Array, class F>
task<Array> made_of(world& w, std::size_t n, F f) {
  using T = typename Array::value_type;
  auto making = unsafe_array<T, typename Array::layout_type>::create(w, n);
  auto a = co_await making;
  auto filling = all_elements(a).enumerate().for_each([f](std::size_t i, T& x) { x = f(i); });
  co_await filling;
  auto collecting = all_elements(a).template collect<Array>();
  co_return co_await collecting;
}

number spread(std::size_t i) { return static_cast<number>((i * 7919 + 13) % 1000) - 400; }

}  // namespace

TEST_CASE_TEMPLATE("reductions give what a loop gives, on every layout and access", Array,
                   unsafe_array<number>, cyclic_unsafe, atomic_array<number>, dealt_atomic,
                   cyclic_read_only, local_lock_array<number>, dealt_global) {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : sizes) {
      auto making = made_of<Array>(w, n, spread);
      const Array a = co_await making;
      std::optional<number> total;
      std::optional<located_extremes<number>> extremes;
      for (std::size_t i = 0; i < n; ++i) {
        const number x = spread(i);
        total = total.value_or(0) + x;
        if (!extremes) extremes = {x, i, x, i};
        if (x < extremes->min) extremes->min = x, extremes->min_index = i;
        if (x > extremes->max) extremes->max = x, extremes->max_index = i;
      }
      CHECK(co_await sum(a) == total);
      CHECK(co_await min_max(a) == extremes);
      const auto least = co_await min(a);
      const auto greatest = co_await max(a);
      CHECK(least.has_value() == (n != 0));
      if (n != 0) {
        CHECK(least == extremes->min);
        CHECK(greatest == extremes->max);
      }
      CHECK(co_await all_sum(a) == total);
      CHECK(co_await all_min_max(a) == extremes);
      CHECK(co_await all_min(a) == least);
      CHECK(co_await all_max(a) == greatest);

      const std::size_t first = n / 4;
      const std::size_t count = n / 3;
      std::optional<number> of_part;
      for (std::size_t i = first; i < first + count; ++i)
        of_part = of_part.value_or(0) + spread(i);
      CHECK(co_await sum(a.sub_array(first, count)) == of_part);
      CHECK(co_await all_sum(a.sub_array(first, count)) == of_part);
      co_await w.barrier();
    }
  });
}

TEST_CASE("one PE alone may ask") {
  on_pes([](world& w) -> task<> {
    auto making = made_of<atomic_array<number>>(w, 200'000, spread);
    const auto a = co_await making;
    if (w.me().index() + 1 == w.size()) {
      const std::optional<number> before = sum(a).get();
      a.add(1, 5);
      w.wait_all();
      CHECK(co_await sum(a) == *before + 5);
    }
    co_await w.quiesce();
  });
}

TEST_CASE("products, other types, and operations of one's own") {
  on_pes([](world& w) -> task<> {
    auto m1 = made_of<atomic_array<detail::int128>>(
        w, 30, [](std::size_t i) { return static_cast<detail::int128>(i + 1); });
    const auto numbers = co_await m1;
    detail::int128 factorial = 1;
    for (int k = 1; k <= 30; ++k) factorial *= k;
    CHECK(static_cast<bool>(co_await prod(numbers) == factorial));
    CHECK(static_cast<bool>(co_await all_prod(numbers) == factorial));

    auto m2 = made_of<atomic_array<std::string>>(
        w, 26, [](std::size_t i) { return std::string(1, static_cast<char>('a' + i)); });
    const auto letters = co_await m2;
    CHECK(co_await sum(letters) == "abcdefghijklmnopqrstuvwxyz");
    CHECK(co_await all_sum(letters) == "abcdefghijklmnopqrstuvwxyz");
    CHECK((co_await min_max(letters))->max_index == 25);

    auto m3 = made_of<unsafe_array<number>>(w, 1000, spread);
    const auto a = co_await m3;
    const auto either = [](number x, number y) { return x | y; };
    const auto one = co_await reduce(a, either);
    CHECK(one == co_await all_reduce(a, either));
    const number mask = 0xff;
    const auto masked = by_value([mask](number x, number y) { return (x | y) & mask; });
    CHECK(co_await reduce(a, masked) == (*one & mask));
    co_await w.barrier();
  });
}

TEST_CASE("sums of floating-point numbers are the same every time and either way") {
  on_pes([](world& w) -> task<> {
    auto making = made_of<atomic_array<double>>(
        w, 300'007, [](std::size_t i) { return 1.0 / static_cast<double>(i + 1); });
    const auto a = co_await making;
    const auto first = co_await sum(a);
    CHECK(std::abs(*first - 13.1888) < 1e-4);
    for (int k = 0; k < 3; ++k) {
      CHECK(co_await sum(a) == first);
      CHECK(co_await all_sum(a) == first);
    }
    co_await w.barrier();
  });
}

TEST_CASE("extremes beside NaN, and the first of equal ones") {
  on_pes([](world& w) -> task<> {
    const double nan = std::nan("");
    auto m1 = made_of<unsafe_array<double>>(
        w, 50, [nan](std::size_t i) { return i % 3 == 0 ? nan : static_cast<double>(i % 10); });
    const auto a = co_await m1;
    const auto found = co_await all_min_max(a);
    CHECK(found->min == 0.0);
    CHECK(found->min_index == 10);
    CHECK(found->max == 9.0);
    CHECK(found->max_index == 19);
    CHECK(co_await min_max(a) == found);
    auto m2 =
        made_of<unsafe_array<double, layout::cyclic>>(w, 5, [nan](std::size_t) { return nan; });
    const auto nothing = co_await m2;
    const auto none = co_await min_max(nothing);
    CHECK(std::isnan(none->min));
    CHECK(none->max_index == 0);
    co_await w.barrier();
  });
}

TEST_CASE("an operation that throws is heard of") {
  on_pes([](world& w) -> task<> {
    auto making = made_of<local_lock_array<number>>(w, 5000, spread);
    const auto a = co_await making;
    const auto fails = [](number x, number y) -> number {
      if (x == spread(4000) || y == spread(4000)) throw std::runtime_error{"not this"};
      return std::max(x, y);
    };
    auto asking = reduce(a, fails);
    bool heard = false;
    try {
      co_await asking;
    } catch (const std::exception& e) {
      heard = std::string(e.what()).find("not this") != std::string::npos;
    }
    CHECK(heard);
    CHECK((co_await max(a)).has_value());  // no lock was left taken
    co_await w.barrier();
  });
}
