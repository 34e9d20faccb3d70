// SPDX-License-Identifier: BSD-3-Clause
// Iteration over all elements by all PEs together, and what is collected from it.
#include <atomic>
#include <cstdint>
#include <functional>
#include <lamellar/containers/all_elements.hpp>
#include <lamellar/containers/local_elements.hpp>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

const std::vector<std::size_t> sizes{0, 1, 3, 1001};

using number = std::uint64_t;
using cyclic_unsafe = unsafe_array<number, layout::cyclic>;
using dealt_unsafe = unsafe_array<number, layout::block_cyclic>;
using cyclic_atomic = atomic_array<number, layout::cyclic>;
using dealt_global = global_lock_array<number, layout::block_cyclic>;

bool is_odd(number x) { return x % 2 == 1; }
std::optional<double> quarter(number x) {
  return x % 4 == 0 ? std::optional{static_cast<double>(x) / 4} : std::nullopt;
}

std::vector<std::size_t> all_indices(std::size_t n) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

/// An array whose elements are their indices.
template <class Array>
task<Array> indices(world& w, std::size_t n) {
  auto making = Array::create(w, n);
  Array a = co_await making;
  auto filling =
      all_writable_elements(a).enumerate().for_each([](std::size_t i, auto& x) { x = i; });
  co_await filling;
  co_return a;
}

/// All elements of an array, on every PE.
template <class Array>
task<std::vector<typename Array::value_type>> everything(Array a) {
  const auto all = all_indices(a.size());
  auto loading = a.load(all);
  co_return co_await loading;
}

/// What a pipeline collects, counts and sums up, against what it should.
template <class Pipeline, class T>
task<> check_items(Pipeline p, std::vector<T> expected) {
  auto counting = p.count();
  CHECK(co_await counting == expected.size());
  auto summing = p.sum();
  CHECK(co_await summing == std::accumulate(expected.begin(), expected.end(), T{}));
  auto collecting = p.collect();
  auto a = co_await collecting;
  auto reading = everything(a);
  CHECK(co_await reading == expected);
  // No PE has more than one element more than another.
  auto& where = a.members();
  for (std::uint32_t k = 0; k < where.size(); ++k) {
    const std::size_t there = a.size_at(team_position{k});
    if constexpr (!std::same_as<typename decltype(a)::layout_type, layout::block_cyclic>) {
      CHECK(there >= a.size() / where.size());
      CHECK(there <= a.size() / where.size() + 1);
    }
  }
  auto barrier = where.barrier();
  co_await barrier;
}

}  // namespace

TEST_CASE_TEMPLATE("adapters go by the index in the array, on every layout and access", Array,
                   unsafe_array<number>, cyclic_unsafe, dealt_unsafe, cyclic_atomic,
                   local_lock_array<number>, dealt_global) {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : sizes) {
      auto making = indices<Array>(w, n);
      const Array a = co_await making;
      const auto where = [n](auto keep) {
        std::vector<number> kept;
        for (number i = 0; i < n; ++i) {
          if (keep(i)) kept.push_back(i);
        }
        return kept;
      };
      const auto all = all_elements(a);
      auto c1 = check_items(all, where([](auto) { return true; }));
      co_await c1;
      auto c2 = check_items(all.filter(is_odd), where(is_odd));
      co_await c2;
      auto c3 =
          check_items(all.skip(2).take(700), where([](auto i) { return i >= 2 && i < 702; }));
      co_await c3;
      auto c4 = check_items(all.skip(5).step_by(3).skip(1).step_by(2),
                            where([](auto i) { return i >= 8 && (i - 8) % 6 == 0; }));
      co_await c4;
      std::vector<double> quarters;
      for (number i = 0; i < n; i += 4) quarters.push_back(static_cast<double>(i) / 4);
      auto c5 = check_items(all.filter_map(quarter), quarters);
      co_await c5;
      auto c6 = check_items(
          all.skip(1).enumerate().map([](std::size_t i, number x) { return number{x} - i; }),
          std::vector<number>(n < 1 ? 0 : n - 1, 1));
      co_await c6;
      auto c7 = check_items(a.sub_array(n / 3, n / 2).size() == 0
                                ? all_elements(a.sub_array(0, n)).filter(is_odd)
                                : all_elements(a.sub_array(n / 3, n / 2)).filter(is_odd),
                            n / 2 == 0 ? where(is_odd) : where([n](auto i) {
                              return is_odd(i) && i >= n / 3 && i < n / 3 + n / 2;
                            }));
      co_await c7;
      auto largest = all.map([](number x) { return x; }).reduce(op::max{});
      CHECK(co_await largest == (n == 0 ? std::nullopt : std::optional<number>{n - 1}));
    }
  });
}

TEST_CASE("what was sent before is seen, and after it nobody sees a half") {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 3000;
    auto making = atomic_array<number, layout::cyclic>::create(w, n);
    const auto a = co_await making;
    for (number round = 1; round < 5; ++round) {
      a.add(all_indices(n), 1);
      auto doubling = all_elements(a).for_each([](auto& x) { x = 2 * x; }, schedule::dynamic());
      co_await doubling;
      number expected = 0;
      for (number k = 0; k < round; ++k) expected = 2 * (expected + w.size());
      auto reading = everything(a);
      CHECK(co_await reading == std::vector<number>(n, expected));
      co_await w.barrier();
    }
  });
}

TEST_CASE("a collected array has the type that was asked for") {
  on_pes([](world& w) -> task<> {
    auto making = indices<unsafe_array<number, layout::cyclic>>(w, 100);
    const auto a = co_await making;
    const auto even = all_elements(a).filter([](number x) { return x % 2 == 0; });
    const auto check = [](auto made) -> task<> {
      CHECK(made.size() == 50);
      for (std::size_t i = 0; i < 50; ++i) CHECK(co_await made.load(i) == 2 * i);
    };
    auto c1 = even.collect<atomic_array<number>>();
    auto k1 = check(co_await c1);
    co_await k1;
    auto c2 =
        even.collect<read_only_array<std::uint32_t, layout::block_cyclic>>(std::size_t{3});
    const auto made = co_await c2;
    CHECK(made.layout().block() == 3);
    auto k2 = check(made);
    co_await k2;
    auto c3 = even.collect<local_lock_array<number, layout::cyclic>>();
    auto k3 = check(co_await c3);
    co_await k3;
    auto c4 = even.collect<global_lock_array<number>>();
    auto k4 = check(co_await c4);
    co_await k4;
    auto c5 = all_elements(a).map([](number x) { return std::to_string(x); }).collect();
    const auto words = co_await c5;
    CHECK(co_await words.load(99) == "99");
    auto c6 = all_elements(a).map(is_odd).collect<atomic_array<bool>>();
    const auto flags = co_await c6;
    CHECK(co_await flags.load(31));
    CHECK(!co_await flags.load(32));
    auto c7 = all_elements(words).filter([](const auto& s) { return s.size() == 1; }).collect();
    const auto short_words = co_await c7;
    CHECK(short_words.size() == 10);
    CHECK(co_await short_words.load(7) == "7");
    auto joining =
        all_elements(a.sub_array(0, 1)).map([](number) { return std::string("x"); }).sum();
    CHECK(co_await joining == "x");
    co_await w.barrier();
  });
}

TEST_CASE("zip goes over two arrays, and refuses those that lie differently") {
  on_pes([](world& w) -> task<> {
    auto m1 = indices<atomic_array<number, layout::block_cyclic>>(w, 1000);
    const auto a = co_await m1;
    auto m2 = local_lock_array<double, layout::block_cyclic>::create(w, 1000);
    const auto b = co_await m2;
    auto filling =
        all_writable_elements(b).zip(all_elements(a)).for_each([](double& y, auto x) {
          y = static_cast<double>(x) / 2;
        });
    co_await filling;
    auto summing =
        all_elements(b)
            .zip(all_elements(a))
            .enumerate()
            .map([](std::size_t i, const auto& both) {
              return both.first * 2 == static_cast<double>(i) && both.second == i ? 1 : 0;
            })
            .sum();
    CHECK(co_await summing == 1000);
    CHECK_THROWS_AS(all_elements(a).zip(all_elements(b).skip(1).take(999)), layout_mismatch);
    CHECK_THROWS_AS(all_elements(a).take(999).zip(all_elements(b).skip(1)), layout_mismatch);
    auto m3 = atomic_array<number, layout::block_cyclic>::create(w, 1000, std::size_t{7});
    const auto other = co_await m3;
    CHECK_THROWS_AS(all_elements(a).zip(all_elements(other)), layout_mismatch);
    auto shifted =
        all_elements(a).skip(1).take(10).zip(all_elements(b.sub_array(1, 10))).count();
    CHECK(co_await shifted == 10);
    co_await w.barrier();
  });
}

TEST_CASE("chunks are cut on each PE and numbered through") {
  on_pes([](world& w) -> task<> {
    auto making = indices<unsafe_array<number>>(w, 1003);
    const auto a = co_await making;
    const auto chunks = all_elements(a).skip(3).chunks(10);
    auto summing = chunks
                       .map([](std::span<number> some) {
                         return std::accumulate(some.begin(), some.end(), number{0});
                       })
                       .sum();
    CHECK(co_await summing == 1003 * 1002 / 2 - 3);
    auto numbering = chunks.enumerate().map([](std::size_t i, auto) { return i; }).collect();
    const auto numbers = co_await numbering;
    auto reading = everything(numbers);
    CHECK(co_await reading == all_indices(numbers.size()));
    std::size_t expected = 0;
    for (std::uint32_t k = 0; k < w.size(); ++k) {
      const std::size_t there = a.sub_array(3, 1000).size_at(team_position{k});
      expected += (there + 9) / 10;
    }
    CHECK(numbers.size() == expected);
    co_await w.barrier();
  });
}

TEST_CASE("the team of the array iterates, and no other PE") {
  on_pes([](world& w) -> task<> {
    const team all{w};
    auto splitting = all.split(w.me().index() % 2, w.me().index());
    const team mine = co_await splitting;
    auto making = unsafe_array<number, layout::cyclic>::create(mine, 77);
    const auto a = co_await making;
    if (w.me().index() % 2 == 0) {
      auto filling =
          all_elements(a).enumerate().for_each([](std::size_t i, number& x) { x = i; });
      co_await filling;
      auto collecting = all_elements(a).filter(is_odd).collect();
      const auto odd = co_await collecting;
      CHECK(odd.size() == 38);
      CHECK(co_await odd.load(37) == 75);
    }
    co_await w.barrier();
  });
}

TEST_CASE("bodies that are coroutines may send and wait") {
  on_pes([](world& w) -> task<> {
    auto m1 = indices<global_lock_array<number>>(w, 200);
    const auto a = co_await m1;
    auto m2 = atomic_array<number>::create(w, 400);
    const auto b = co_await m2;
    const auto body = [b](std::size_t i, number& x) -> task<> {
      x += co_await b.fetch_add(i + x, 3);
      b.add(2 * i, 1);
    };
    auto running = all_writable_elements(a).enumerate().for_each(body);
    co_await running;
    co_await w.quiesce();
    for (std::size_t i = 0; i < 200; ++i) CHECK(co_await b.load(2 * i) == 4);
    co_await w.barrier();
  });
}

TEST_CASE("what a function throws on one PE comes out on all") {
  on_pes([](world& w) -> task<> {
    auto making = indices<local_lock_array<number, layout::cyclic>>(w, 500);
    const auto a = co_await making;
    const auto fails = [](number x) -> number {
      if (x == 123) throw std::runtime_error{"no 123"};
      return x;
    };
    const auto message = [](auto work) -> task<std::string> {
      try {
        co_await work;
      } catch (const std::exception& e) {
        co_return e.what();
      }
      co_return "";
    };
    const auto said = [](const std::string& what) {
      return what.find("no 123") != std::string::npos;
    };
    auto t1 = message(all_elements(a).for_each([fails](number x) { fails(x); }));
    CHECK(said(co_await t1));
    auto t2 = message(all_elements(a).map(fails).sum());
    CHECK(said(co_await t2));
    auto t3 = message(all_elements(a).map(fails).collect());
    CHECK(said(co_await t3));
    auto t4 = message(all_elements(a).filter(fails).collect());
    CHECK(said(co_await t4));
    // Where it was thrown it is what it was; elsewhere a remote_error.
    bool itself = false;
    auto loop = all_elements(a).for_each([fails](number x) { fails(x); });
    try {
      co_await loop;
    } catch (const remote_error& e) {
      CHECK(e.pe() == 123 % w.size());
    } catch (const std::runtime_error&) {
      itself = true;
    }
    CHECK(itself == (w.me().index() == 123 % w.size()));
    auto t5 = message(all_writable_elements(a).for_each([fails](number& x) -> task<> {
      x = fails(x) + 1;
      co_return;
    }));
    CHECK(said(co_await t5));
    auto counting = all_elements(a).count();
    CHECK(co_await counting == 500);  // no lock was left taken
    co_await w.barrier();
  });
}

TEST_CASE("a pipeline that was consumed holds nothing") {
  on_pes([](world& w) -> task<> {
    auto making = indices<unsafe_array<number>>(w, 50);
    auto a = co_await making;
    auto summing = all_elements(a).sum();
    CHECK(co_await summing == 49 * 50 / 2);
    auto collecting = all_elements(a).filter(is_odd).collect<unsafe_array<number>>();
    auto odd = co_await collecting;
    auto c1 = std::move(a).into_read_only();
    const auto read = co_await c1;
    auto c2 = std::move(odd).into_atomic();
    const auto atomic = co_await c2;
    CHECK(atomic.size() == 25);
    CHECK(read.size() == 50);
    co_await w.barrier();
  });
}
