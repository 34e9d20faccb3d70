// SPDX-License-Identifier: BSD-3-Clause
// Iteration over the elements that are here.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <lamellar/containers/local_elements.hpp>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

const std::vector<std::size_t> sizes{0, 1, 3, 17, 1001, 9000};

using numbers = unsafe_array<std::uint64_t>;

task<numbers> counted(world& w, std::size_t n) {
  auto making = numbers::create(w, n);
  numbers a = co_await making;
  for (std::size_t k = 0; k < a.local_size(); ++k) a.local()[k] = k;
  co_return a;
}

bool is_odd(std::uint64_t x) { return x % 2 == 1; }
std::optional<std::uint64_t> half(std::uint64_t x) {
  return is_odd(x) ? std::nullopt : std::optional{x / 2};
}

/// Every adapter against what the standard algorithms give.
template <class Pipeline, class T>
void check_items(const Pipeline& p, const std::vector<T>& expected) {
  CHECK(p.collect() == expected);
  CHECK(p.count() == expected.size());
  std::vector<T> by_range;
  for (auto&& each : p) by_range.push_back(each);
  CHECK(by_range == expected);
  if constexpr (std::integral<T>) {
    CHECK(p.sum() == std::accumulate(expected.begin(), expected.end(), T{0}));
    std::atomic<T> total{0};
    p.for_each([&total](T each) { total += each; });
    CHECK(total == p.sum());
  }
}

}  // namespace

static_assert(std::ranges::input_range<atomic_span<int>>);
static_assert(std::ranges::random_access_range<
              decltype(local_elements(std::declval<numbers>()).skip(1))>);
static_assert(
    std::ranges::input_range<decltype(local_elements(std::declval<numbers>()).filter(is_odd))>);

TEST_CASE("adapters give what they say, alone and one after the other") {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : sizes) {
      auto making = counted(w, n);
      const numbers a = co_await making;
      const std::size_t here = a.local_size();
      const auto all = local_elements(a);
      const auto where = [here](auto keep) {
        std::vector<std::uint64_t> kept;
        for (std::uint64_t k = 0; k < here; ++k) {
          if (keep(k)) kept.push_back(k);
        }
        return kept;
      };
      check_items(all, where([](auto) { return true; }));
      check_items(all.filter(is_odd), where(is_odd));
      check_items(all.skip(2), where([](auto k) { return k >= 2; }));
      check_items(all.take(5), where([](auto k) { return k < 5; }));
      check_items(all.step_by(3), where([](auto k) { return k % 3 == 0; }));
      check_items(all.step_by(n + 7), where([](auto k) { return k == 0; }));
      check_items(all.skip(1).step_by(2).skip(1).take(4),
                  where([](auto k) { return k % 2 == 1 && k >= 3 && k < 11; }));
      check_items(all.step_by(2).step_by(5), where([](auto k) { return k % 10 == 0; }));
      check_items(all.step_by(2).filter(is_odd), std::vector<std::uint64_t>{});
      check_items(all.filter(is_odd).filter([](auto x) { return x % 3 == 0; }),
                  where([](auto k) { return k % 6 == 3; }));
      auto doubled = where([](auto) { return true; });
      for (auto& each : doubled) each *= 2;
      check_items(all.map([](auto x) { return 2 * x; }), doubled);
      check_items(all.map([](auto x) { return 4 * x; }).filter_map(half), doubled);

      using pairs = std::vector<std::pair<std::size_t, std::uint64_t>>;
      pairs numbered;
      pairs with_gaps;
      for (std::size_t k = 3; k < here; k += 2) numbered.emplace_back((k - 3) / 2, k);
      for (std::size_t k = 1; k < here; k += 2) with_gaps.emplace_back(k, k);
      check_items(all.skip(3).step_by(2).enumerate(), numbered);
      check_items(all.filter(is_odd).monotonic(), with_gaps);
      check_items(all.map([](auto x) { return x; })
                      .skip(1)
                      .enumerate()
                      .map([](std::size_t i, std::uint64_t x) { return x - i; }),
                  std::vector<std::uint64_t>(here < 1 ? 0 : here - 1, 1));
      std::vector<std::size_t> lengths;
      for (std::size_t k = 1; k < here; k += 4)
        lengths.push_back(std::min<std::size_t>(4, here - k));
      check_items(
          all.skip(1).chunks(4).map([](std::span<std::uint64_t> c) { return c.size(); }),
          lengths);
      co_await w.barrier();
    }
  });
}

TEST_CASE("elements can be written, under every schedule") {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : sizes) {
      auto making = counted(w, n);
      const numbers a = co_await making;
      for (const schedule& by :
           {schedule::even(), schedule::dynamic(), schedule::guided(), schedule::chunked(7)}) {
        local_elements(a).for_each([](std::uint64_t& x) { x += 1; }, by);
        local_elements(a).enumerate().for_each([](std::size_t k, auto& x) { x -= k; }, by);
        CHECK(std::ranges::all_of(a.local(), [](auto x) { return x == 1; }));
        local_elements(a).chunks(10).enumerate().for_each(
            [](std::size_t c, std::span<std::uint64_t> some) {
              std::iota(some.begin(), some.end(), 10 * c);
            },
            by);
        local_elements(a).filter(is_odd).for_each([](auto& x) { ++x; });
        for (std::size_t k = 0; k < a.local_size(); ++k) {
          CHECK(a.local()[k] == (is_odd(k) ? k + 1 : k));
          a.local()[k] = k;
        }
      }
    }
  });
}

TEST_CASE("items are what the access allows") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::uint64_t, layout::cyclic>::create(w, 1000);
    auto a = co_await making;
    local_elements(a).enumerate().for_each([&a](std::size_t k, auto& x) {
      static_assert(std::same_as<decltype(x), atomic_reference<std::uint64_t>&>);
      x += a.global_index(k);
    });
    local_elements(a).for_each([](auto x) { x = x + 1; });
    std::uint64_t expected = 0;
    for (std::size_t k = 0; k < a.local_size(); ++k) expected += a.global_index(k) + 1;
    CHECK(local_elements(a).sum() == expected);
    CHECK(local_elements(a).reduce(op::max{}) == local_elements(a).collect().back());
    std::uint64_t by_range = 0;
    for (const std::uint64_t x : local_elements(a)) by_range += x;
    CHECK(by_range == expected);

    auto c1 = std::move(a).into_read_only();
    auto read = co_await c1;
    static_assert(
        std::same_as<decltype(local_elements(read))::item_type, const std::uint64_t&>);
    CHECK(local_elements(read).sum() == expected);

    auto c2 = std::move(read).into_local_lock();
    auto locked = co_await c2;
    {
      auto guard = co_await locked.write_lock();
      local_elements(guard).for_each([](std::uint64_t& x) { x *= 2; });
    }
    {
      const auto guard = co_await locked.read_lock();
      static_assert(
          std::same_as<decltype(local_elements(guard))::item_type, const std::uint64_t&>);
      CHECK(local_elements(guard).sum() == 2 * expected);
    }
    co_await w.barrier();
  });
}

TEST_CASE("views, zip of arrays, and arrays that do not fit") {
  on_pes([](world& w) -> task<> {
    auto m1 = counted(w, 500);
    const numbers a = co_await m1;
    auto m2 = unsafe_array<double>::create(w, 500);
    const auto b = co_await m2;
    local_elements(b).zip(local_elements(a)).for_each([](double& y, std::uint64_t x) {
      y = 0.5 * static_cast<double>(x);
    });
    for (std::size_t k = 0; k < a.local_size(); ++k) {
      CHECK(b.local()[k] == 0.5 * static_cast<double>(k));
    }
    const auto part = a.sub_array(100, 250);
    CHECK(local_elements(part).count() == part.local_size());
    CHECK(local_elements(part).collect() ==
          std::vector<std::uint64_t>(part.local().begin(), part.local().end()));
    if (a.local_size() > 1) {
      CHECK_THROWS_AS(local_elements(a).zip(local_elements(a).skip(1)), layout_mismatch);
    }
    const auto differences =
        local_elements(a).skip(1).zip(local_elements(a).take(a.local_size() - 1));
    differences.for_each([](std::uint64_t next, std::uint64_t x) { CHECK(next == x + 1); });
    co_await w.barrier();
  });
}

TEST_CASE("standard algorithms and views work on them") {
  on_pes([](world& w) -> task<> {
    auto making = counted(w, 4000);
    const numbers a = co_await making;
    const auto reversed = local_elements(a);
    std::ranges::reverse(reversed);
    CHECK(std::ranges::is_sorted(a.local(), std::greater<>{}));
    std::ranges::sort(reversed);
    CHECK(std::ranges::is_sorted(a.local()));
    const auto odd = local_elements(a).filter(is_odd);
    CHECK(static_cast<std::size_t>(std::ranges::distance(odd)) == a.local_size() / 2);
    std::vector<std::uint64_t> few;
    for (const auto x : odd | std::views::take(3)) few.push_back(x);
    CHECK(few == std::vector<std::uint64_t>{1, 3, 5});
    co_await w.barrier();
  });
}

TEST_CASE("bodies that are coroutines may send and wait") {
  on_pes([](world& w) -> task<> {
    auto m1 = counted(w, 300);
    const numbers a = co_await m1;
    auto m2 = atomic_array<std::uint64_t>::create(w, 301);
    const auto b = co_await m2;
    const auto body = [&w, b](std::uint64_t& x) -> task<> {
      const auto answer = co_await w.call(
          w.at(static_cast<std::uint32_t>(x % w.size())), [](std::uint64_t v) { return v + 1; },
          x);
      b.add(answer, 1);
      x = answer;
    };
    auto running = local_elements(a).filter([](auto x) { return x % 5 != 0; }).for_each(body);
    co_await running;
    std::size_t k = 0;
    for (const auto x : a.local()) {
      CHECK(x == (k % 5 == 0 ? k : k + 1));
      ++k;
    }
    co_await w.quiesce();
    CHECK(co_await b.load(2) == w.size());
    const auto fails = [](std::uint64_t x) -> task<> {
      if (x == 3) throw std::runtime_error{"no"};
      co_return;
    };
    auto failing = local_elements(a)
                       .enumerate()
                       .map([](std::size_t i, auto&) { return i; })
                       .for_each(fails);
    CHECK_THROWS_WITH_AS(failing.get(), "no", std::runtime_error);
    co_await w.barrier();
  });
}

TEST_CASE("what a function throws comes out of the consumer") {
  on_pes([](world& w) -> task<> {
    auto making = counted(w, 20000);
    const numbers a = co_await making;
    const auto fails = [](std::uint64_t x) {
      if (x == 1234) throw std::runtime_error{"at 1234"};
    };
    for (const schedule& by : {schedule::even(), schedule::dynamic()}) {
      CHECK_THROWS_WITH_AS(local_elements(a).for_each(fails, by), "at 1234",
                           std::runtime_error);
    }
    CHECK(local_elements(a).reduce(op::min{}) == 0);
    CHECK(!local_elements(a).take(0).reduce(op::min{}));
    co_await w.barrier();
  });
}
