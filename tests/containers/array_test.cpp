// SPDX-License-Identifier: BSD-3-Clause
// Arrays: creation, places, views, element operations in all shapes, locks, conversions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/complex.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::seeded;

namespace {

const std::vector<std::size_t> sizes{0, 1, 3, 16, 1001};

using cyclic_numbers = atomic_array<std::uint64_t, layout::cyclic>;

std::vector<std::size_t> all_indices(std::size_t n) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("every element has one owner, and local() is what is here", Layout,
                   layout::block, layout::cyclic, layout::block_cyclic) {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : sizes) {
      auto making = unsafe_array<std::uint64_t, Layout>::create(w, n);
      auto a = co_await making;
      CHECK(a.size() == n);
      CHECK(a.local().size() == a.local_size());
      for (std::size_t k = 0; k < a.local_size(); ++k) {
        CHECK(a.local()[k] == 0);
        const std::size_t i = a.global_index(k);
        CHECK(a.owner(i) == w.me());
        CHECK(a.local_index(i) == k);
        a.local()[k] = i + 1;
      }
      co_await w.barrier();
      for (std::size_t i = 0; i < n; ++i) {
        CHECK(co_await a.load(i) == i + 1);
        if (a.owner(i) != w.me()) CHECK(!a.local_index(i));
      }
      std::size_t sum = 0;
      for (std::uint32_t k = 0; k < w.size(); ++k) {
        const team_position at{k};
        sum += a.size_at(at);
        CHECK(a.first_index_at(at).has_value() == (a.size_at(at) != 0));
        if (a.size_at(at) != 0) {
          CHECK(a.owner(*a.first_index_at(at)) == pe{k});
          CHECK(a.owner(*a.last_index_at(at)) == pe{k});
          CHECK(*a.first_index_at(at) <= *a.last_index_at(at));
        }
      }
      CHECK(sum == n);
      co_await w.barrier();
    }
  });
}

TEST_CASE_TEMPLATE("all PEs add to all elements, in all shapes", Array,
                   atomic_array<std::uint64_t>, cyclic_numbers, atomic_array<double>,
                   atomic_array<std::int16_t>, atomic_array<detail::int128>,
                   local_lock_array<std::uint32_t>, global_lock_array<std::uint32_t>) {
  on_pes([](world& w) -> task<> {
    using T = typename Array::value_type;
    for (const std::size_t n : sizes) {
      auto making = Array::create(w, n);
      auto a = co_await making;
      const auto all = all_indices(n);
      const std::vector<T> values(n, T{2});
      for (std::size_t i = 0; i < n; ++i) a.add(i, 1);
      a.add(all, values);
      a.add(all, 3);
      co_await w.quiesce();
      const auto sums = co_await a.load(all);
      CHECK(sums == std::vector<T>(n, static_cast<T>(6 * w.size())));
      if (n != 0) {
        co_await w.barrier();
        a.add(n / 2, std::vector<T>(10, T{1}));
        co_await w.quiesce();
        CHECK(co_await a.load(n / 2) == static_cast<T>(16 * w.size()));
      }
      co_await w.barrier();
    }
  });
}

TEST_CASE_TEMPLATE("fetching operations give each old value once", Array,
                   atomic_array<std::uint64_t>, atomic_array<std::uint8_t>,
                   atomic_array<detail::uint128>, atomic_array<float>, local_lock_array<int>,
                   global_lock_array<int>) {
  on_pes([](world& w) -> task<> {
    using T = typename Array::value_type;
    auto making = Array::create(w, 3);
    auto a = co_await making;
    std::vector<T> mine;
    for (int k = 0; k < 10; ++k) mine.push_back(co_await a.fetch_add(1, 1));
    const std::vector<std::uint32_t> places(10, 1);
    const std::vector<T> more = co_await a.fetch_add(places, 1);
    mine.insert(mine.end(), more.begin(), more.end());
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    std::vector<std::uint64_t> seen;
    for (const T v : mine) seen.push_back(static_cast<std::uint64_t>(v));
    auto gathering = all_gather(w, std::move(seen));
    std::vector<std::uint64_t> everybodys;
    for (const auto& each : co_await gathering) {
      everybodys.insert(everybodys.end(), each.begin(), each.end());
    }
    std::sort(everybodys.begin(), everybodys.end());
    for (std::size_t k = 0; k < everybodys.size(); ++k) CHECK(everybodys[k] == k);
    CHECK(everybodys.size() == 20 * w.size());
  });
}

TEST_CASE("results come in the order of the lists") {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 5000;
    auto making = atomic_array<std::uint64_t, layout::cyclic>::create(w, n);
    auto a = co_await making;
    for (std::size_t k = 0; k < a.local_size(); ++k) a.local()[k] = a.global_index(k) * 3;
    co_await w.barrier();
    auto random = seeded(w, 5 + w.me().index());
    std::vector<std::size_t> places(20000);
    for (auto& each : places) each = random() % n;
    const auto got = co_await a.load(places);
    for (std::size_t k = 0; k < places.size(); ++k) CHECK(got[k] == places[k] * 3);
    co_await w.barrier();
  });
}

TEST_CASE("each operation does what it says, here and elsewhere") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::int32_t>::create(w, w.size());
    auto a = co_await making;
    const std::size_t i = (w.me().index() + 1) % w.size();
    a.store(i, 40);
    CHECK(co_await a.swap(i, 12) == 40);
    CHECK(co_await a.fetch_add(i, 5) == 12);
    CHECK(co_await a.fetch_sub(i, 3) == 17);
    CHECK(co_await a.fetch_mul(i, -4) == 14);
    CHECK(co_await a.fetch_div(i, 5) == -56);
    CHECK(co_await a.fetch_rem(i, 6) == -11);
    CHECK(co_await a.fetch_bit_and(i, 0xff) == -5);
    CHECK(co_await a.fetch_bit_or(i, 0x700) == 251);
    CHECK(co_await a.fetch_bit_xor(i, 0x7ff) == 0x7fb);
    CHECK(co_await a.fetch_shl(i, 4) == 4);
    CHECK(co_await a.fetch_shr(i, 2) == 64);
    CHECK(co_await a.fetch_min(i, -7) == 16);
    CHECK(co_await a.fetch_max(i, 9) == -7);
    CHECK(co_await a.load(i) == 9);
    const auto first = co_await a.compare_exchange(i, 8, 100);
    CHECK(!first);
    CHECK(first.before == 9);
    const auto second = co_await a.compare_exchange(i, 9, 100);
    CHECK(second.done);
    CHECK(second.before == 9);
    CHECK(co_await a.load(i) == 100);
    CHECK(co_await a.fetch_update([](int old) { return old / 3; }, i) == 100);
    const int factor = 1000;
    a.update([](int old, int by, int plus) { return old * by + plus; }, i, 2, 7);
    const auto scaled = by_value([factor](int old) { return old * factor; });
    CHECK(co_await a.fetch_update(scaled, i) == 73);
    CHECK(co_await a.load(i) == 73000);
    co_await w.quiesce();
  });
}

TEST_CASE("places are taken by values of a list, each by one") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::uint64_t>::create(w, 100);
    auto a = co_await making;
    std::vector<std::size_t> places(100);
    std::vector<std::uint64_t> own(100);
    for (std::size_t k = 0; k < places.size(); ++k) {
      places[k] = 99 - k;
      own[k] = 1000 * (w.me().index() + 1) + k;
    }
    const auto taken = co_await a.compare_exchange(places, 0, own);
    REQUIRE(taken.size() == places.size());
    co_await w.barrier();
    for (std::size_t k = 0; k < places.size(); ++k) {
      const std::uint64_t found = co_await a.load(places[k]);
      CHECK(found % 1000 == k);
      CHECK(taken[k].done == (found == own[k]));
      CHECK(taken[k].before == (taken[k].done ? 0 : found));
    }
    // One place, many values: each takes it from the one before only if it is still free.
    const auto again = co_await a.compare_exchange(0, 0, own);
    CHECK(std::none_of(again.begin(), again.end(), [](const auto& one) { return one.done; }));
    co_await w.quiesce();
  });
}

TEST_CASE("division by zero and shifts are defined") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::int32_t>::create(w, 1);
    auto a = co_await making;
    CHECK_THROWS_AS(a.div(0, 0), bad_operand);
    CHECK_THROWS_AS(a.fetch_rem(0, std::vector<std::int32_t>{1, 0}).get(), bad_operand);
    CHECK_THROWS_AS(a.shl(0, -1), bad_operand);
    if (w.me() == pe{0}) {
      a.store(0, std::numeric_limits<std::int32_t>::min());
      CHECK((co_await a.fetch_div(0, -1)) == std::numeric_limits<std::int32_t>::min());
      CHECK((co_await a.fetch_rem(0, -1)) == std::numeric_limits<std::int32_t>::min());
      CHECK((co_await a.load(0)) == 0);
      a.store(0, -3);
      CHECK((co_await a.fetch_shr(0, 32)) == -3);
      CHECK((co_await a.fetch_shl(0, 40)) == -1);
      CHECK((co_await a.load(0)) == 0);
    }
    co_await w.quiesce();
  });
}

TEST_CASE("floating point: exchange within epsilon, minima beside NaN") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<double>::create(w, w.size());
    auto a = co_await making;
    const std::size_t i = w.me().index();
    a.store(i, 1.0);
    CHECK(!(co_await a.compare_exchange(i, 1.1, 2.0, 0.05)).done);
    CHECK((co_await a.compare_exchange(i, 1.1, 2.0, 0.2)).done);
    CHECK((co_await a.fetch_max(i, std::nan(""))) == 2.0);
    CHECK((co_await a.load(i)) == 2.0);
    a.store(i, std::nan(""));
    a.min(i, 5.0);
    co_await w.quiesce();
    CHECK((co_await a.load(i)) == 5.0);
    co_await w.barrier();
  });
}

TEST_CASE("bool, complex numbers and classes that own memory") {
  on_pes([](world& w) -> task<> {
    auto m1 = atomic_array<bool>::create(w, 10);
    auto flags = co_await m1;
    flags.bit_or(w.me().index() % 10, true);
    auto m2 = atomic_array<std::complex<double>>::create(w, 10);
    auto numbers = co_await m2;
    numbers.add(all_indices(10), std::complex<double>{1, 2});
    auto m3 = atomic_array<std::string>::create(w, 10);
    auto words = co_await m3;
    words.update([](const std::string& old, const std::string& more) { return old + more; },
                 w.me().index() % 10, std::string(100, 'x'));
    words.store(9, std::string("the last one of the words"));
    co_await w.quiesce();
    const std::vector<bool> got = co_await flags.load(all_indices(10));
    const std::vector<std::string> texts = co_await words.load(all_indices(10));
    for (std::size_t i = 0; i < 9; ++i) {
      CHECK(got[i] == (i < w.size()));
      CHECK(texts[i] == std::string(i < w.size() ? 100 : 0, 'x'));
    }
    CHECK(texts[9] == "the last one of the words");
    const std::complex<double> all_together{1.0 * w.size(), 2.0 * w.size()};
    CHECK(co_await numbers.load(3) == all_together);
    co_await w.barrier();
  });
}

TEST_CASE("views have indices of their own") {
  on_pes([](world& w) -> task<> {
    auto making =
        atomic_array<std::uint32_t, layout::block_cyclic>::create(w, 100, std::size_t{7});
    auto a = co_await making;
    const auto part = a.sub_array(10, 50).sub_array(5, 20);
    CHECK(part.size() == 20);
    CHECK(part.first_index() == 15);
    if (w.me() == pe{0}) part.add(all_indices(20), 1);
    co_await w.quiesce();
    for (std::size_t i = 0; i < 100; ++i) {
      CHECK(co_await a.load(i) == (i >= 15 && i < 35 ? 1u : 0u));
    }
    for (std::size_t k = 0; k < part.local_size(); ++k) {
      CHECK(part.local_index(part.global_index(k)) == k);
      CHECK(part.local()[k].load() == 1);
    }
    co_await w.barrier();
  });
}

TEST_CASE("arrays travel") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::uint32_t>::create(w, 4);
    auto a = co_await making;
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      w.send(
          w.at(to), [](atomic_array<std::uint32_t> there) { there.add(1, 5); },
          a.sub_array(2, 2));
    }
    co_await w.quiesce();
    CHECK(co_await a.load(3) == 5 * w.size() * w.size());
    co_await w.barrier();
  });
}

TEST_CASE("arrays of teams") {
  on_pes([](world& w) -> task<> {
    const team all{w};
    auto splitting = all.split(w.me().index() % 2, w.me().index());
    const team mine = co_await splitting;
    auto making = atomic_array<std::uint64_t>::create(mine, 10);
    auto a = co_await making;
    a.add(all_indices(10), 1);
    co_await w.quiesce();
    CHECK(co_await a.load(all_indices(10)) ==
          std::vector<std::uint64_t>(10, std::uint64_t{mine.size()}));
    for (std::size_t i = 0; i < 10; ++i) CHECK(a.owner(i).index() % 2 == w.me().index() % 2);
    co_await w.barrier();
  });
}

TEST_CASE("readers share, a writer has it alone") {
  on_pes([](world& w) -> task<> {
    auto making = local_lock_array<std::uint64_t>::create(w, 64);
    auto a = co_await making;
    {
      auto r1 = co_await a.read_lock();
      auto r2 = co_await a.read_lock();
      CHECK(r1.size() == a.local_size());
      CHECK(r1.local().data() == r2.local().data());
    }
    co_await w
        .barrier();  // a writer that came between the two readers would wait for the first
    for (int k = 0; k < 20; ++k) {
      auto guard = co_await a.write_lock();
      for (auto& each : guard) ++each;
    }
    a.add(all_indices(64), 1);
    co_await w.quiesce();
    CHECK(co_await a.load(all_indices(64)) == std::vector<std::uint64_t>(64, 20 + w.size()));
    co_await w.barrier();
  });
}

TEST_CASE("a global lock keeps all others out") {
  on_pes([](world& w) -> task<> {
    auto making = global_lock_array<std::uint64_t>::create(w, 64);
    auto a = co_await making;
    {
      auto guard = co_await a.collective_write_lock();
      for (auto& each : guard) each = 7;
    }
    for (int k = 0; k < 5; ++k) {
      auto guard = co_await a.write_lock();
      for (auto& each : guard) ++each;
    }
    a.add(all_indices(64), 1);
    co_await w.quiesce();
    CHECK(co_await a.load(all_indices(64)) == std::vector<std::uint64_t>(64, 12 + w.size()));
    co_await w.barrier();
  });
}

TEST_CASE("an array becomes one of every other access, and keeps its elements") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::uint32_t>::create(w, 50);
    auto a = co_await making;
    a.add(all_indices(50), 1);
    auto c1 = std::move(a).into_read_only();
    auto read = co_await c1;
    CHECK(!a);
    const std::vector<std::uint32_t> expected(50, w.size());
    CHECK(co_await read.load(all_indices(50)) == expected);
    auto c2 = std::move(read).into_local_lock();
    auto local = co_await c2;
    auto c3 = std::move(local).into_global_lock();
    auto global = co_await c3;
    CHECK(co_await global.load(all_indices(50)) == expected);
    auto c4 = std::move(global).into_unsafe();
    auto bare = co_await c4;
    auto c5 = std::move(bare).into_global_lock();
    auto global_again = co_await c5;
    auto c6 = std::move(global_again).into_local_lock();
    auto local_again = co_await c6;
    auto c7 = std::move(local_again).into_atomic();
    auto last = co_await c7;
    CHECK(co_await last.load(all_indices(50)) == expected);
    co_await w.barrier();
  });
}

TEST_CASE("a conversion says who else holds the array, and changes nothing") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::uint32_t>::create(w, 50);
    auto a = co_await making;
    {
      const atomic_array<std::uint32_t> other =
          w.me() == w.at(w.size() - 1) ? a.sub_array(0, 1) : atomic_array<std::uint32_t>{};
      bool refused = false;
      auto converting = std::move(a).into_read_only();
      try {
        co_await converting;
      } catch (const still_referenced& e) {
        refused =
            std::string(e.what()).find(fmt::format("PE {}", w.size() - 1)) != std::string::npos;
      }
      CHECK(refused);
      CHECK(static_cast<bool>(a));
      a.add(1, 1);
      co_await w.quiesce();
    }
    auto converting = std::move(a).into_read_only();
    auto read = co_await converting;
    CHECK(co_await read.load(1) == w.size());
    co_await w.barrier();
  });
}

TEST_CASE("one element hammered in place and by messages loses nothing") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::uint64_t>::create(w, w.size());
    auto a = co_await making;
    // What the owner runs where memory is not mapped, beside what is done in place where it is.
    using element = access::atomic::element<std::uint64_t>;
    using part = detail::array_part<std::uint64_t, layout::block>;
    using action = detail::update_action<std::uint64_t, op::add>;
    using by_owner = detail::tell_elements<element, part, std::uint32_t, action>;
    const std::uint64_t rounds = 20000 / lamellar::testing::work_divisor;
    for (std::uint64_t k = 0; k < rounds; ++k) {
      a.add(0, 1);
      a.parts().send(a.owner(0), by_owner{}, by_owner::record{0, 1});
    }
    co_await w.quiesce();
    CHECK(co_await a.load(0) == w.size() * rounds * 2);
    co_await w.barrier();
  });
}
