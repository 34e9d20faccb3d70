// SPDX-License-Identifier: BSD-3-Clause
// Shared memory regions: puts, gets, views, and what becomes of them. The same program runs
// with the peers' memory mapped, and with messages only.
#include <algorithm>
#include <array>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/when_all.hpp>
#include <lamellar/substrate/world.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

template <class T>
using region = shared_memory_region<T>;

std::uint64_t mark(std::uint32_t pe, std::size_t index) {
  return pe * 1000003ull + index * 7 + 1;
}

struct point {
  double x;
  std::int32_t y;
  friend bool operator==(const point&, const point&) = default;
};

}  // namespace

TEST_CASE("a region is zero at first, and each PE has its own") {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : std::vector<std::size_t>{0u, 1u, 3u, 1000u}) {
      auto r = co_await region<std::uint64_t>::create(w, n);
      CHECK(r.size() == n);
      CHECK(r.local().size() == n);
      CHECK(static_cast<bool>(r));
      CHECK(&r.where() == &w);
      CHECK(std::all_of(r.begin(), r.end(), [](std::uint64_t v) { return v == 0; }));
      for (std::size_t k = 0; k < n; ++k) r.at(k) = mark(w.me().index(), k);
      co_await w.barrier();
      for (std::uint32_t other = 0; other < w.size(); ++other) {
        for (std::size_t k = 0; k < n; k += 1 + n / 7) {
          CHECK(co_await r.get(w.at(other), k) == mark(other, k));
        }
      }
      co_await w.barrier();
    }
    CHECK(!region<int>{});
  });
}

TEST_CASE("memory that is used again is zero again") {
  on_pes([](world& w) -> task<> {
    for (int round = 0; round < 5; ++round) {
      auto r = co_await region<std::uint32_t>::create(w, 5000);
      CHECK(std::count(r.begin(), r.end(), 0u) == 5000);
      std::fill(r.begin(), r.end(), 0xffffffffu);
      r = {};
      co_await w.quiesce();
    }
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("a put is at its target when it is done, one element or many") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t me = w.me().index();
    for (const std::size_t n : std::vector<std::size_t>{1u, 2u, 100u, 5000u, 200001u}) {
      auto r = co_await region<std::uint64_t>::create(w, n);
      std::vector<std::uint64_t> mine(n);
      for (std::size_t k = 0; k < n; ++k) mine[k] = mark(me, k);
      co_await r.put(next_of(w), 0, mine);
      std::fill(mine.begin(), mine.end(), 0);
      co_await r.get(next_of(w), 0, mine);
      for (std::size_t k = 0; k < n; k += 1 + n / 100) CHECK(mine[k] == mark(me, k));
      r.put(next_of(w), n - 1, 42).get();
      CHECK(r.get(next_of(w), n - 1).get() == 42);
      co_await w.barrier();
      const std::uint32_t before = (me + w.size() - 1) % w.size();
      if (n > 1) CHECK(r.local()[0] == mark(before, 0));
      CHECK(r.local()[n - 1] == 42);
      co_await w.barrier();
    }
  });
}

TEST_CASE("what was given to a put may be changed at once") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint32_t>::create(w, 300000);
    std::vector<std::uint32_t> values(300000);
    std::iota(values.begin(), values.end(), 5u);
    completion<> done = r.put(next_of(w), 0, values);
    std::fill(values.begin(), values.end(), 0u);
    co_await done;
    co_await w.barrier();
    bool right = true;
    for (std::uint32_t k = 0; k < 300000; ++k) right = right && r.local()[k] == k + 5;
    CHECK(right);
    co_await w.barrier();
  });
}

TEST_CASE("nothing but the range is written") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint8_t>::create(w, 999);
    auto random = lamellar::testing::seeded(w, 31);
    // Each PE has its third of the next one's bytes to write to.
    std::vector<std::uint8_t> model(999, 0);
    for (int round = 0; round < 50; ++round) {
      const std::size_t first = random() % 999;
      const std::size_t count = random() % (999 - first + 1);
      std::vector<std::uint8_t> bytes(count);
      for (auto& each : bytes) each = static_cast<std::uint8_t>(random());
      std::copy(bytes.begin(), bytes.end(), model.begin() + static_cast<std::ptrdiff_t>(first));
      co_await r.put(next_of(w), first, bytes);
      std::vector<std::uint8_t> all(999);
      co_await r.get(next_of(w), 0, all);
      CHECK(all == model);
    }
    co_await w.barrier();
  });
}

TEST_CASE("elements of any size and kind") {
  on_pes([](world& w) -> task<> {
    auto check = [&w](auto region_of, auto value) -> task<> {
      auto r = region_of;
      co_await r.put(next_of(w), 3, value);
      CHECK(co_await r.get(next_of(w), 3) == value);
      CHECK(co_await r.get(next_of(w), 2) == decltype(value){});
      co_await w.barrier();
      CHECK(r.at(3) == value);
      CHECK(r.at(4) == decltype(value){});
      co_await w.barrier();
    };
    co_await check(co_await region<std::int8_t>::create(w, 5), std::int8_t{-3});
    co_await check(co_await region<bool>::create(w, 5), true);
    co_await check(co_await region<std::uint16_t>::create(w, 5), std::uint16_t{65535});
    co_await check(co_await region<float>::create(w, 5), 1.5f);
    co_await check(co_await region<double>::create(w, 5), -2.25);
    co_await check(co_await region<point>::create(w, 5), point{1.5, -7});
    co_await check(co_await region<std::pair<int, int>>::create(w, 5),
                   std::pair<int, int>{1, 2});
    std::array<std::uint64_t, 50> large{};
    std::iota(large.begin(), large.end(), 1u);
    co_await check(co_await region<std::array<std::uint64_t, 50>>::create(w, 5), large);
  });
}

TEST_CASE("get of data equal to any pattern completes") {
  // Completion is told, never guessed from what the memory looks like.
  on_pes([](world& w) -> task<> {
    for (const std::uint64_t pattern : std::vector<std::uint64_t>{
             std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0xdeadbeefdeadbeef},
             std::uint64_t{0x5555555555555555}, std::uint64_t{1} << 63}) {
      for (const std::size_t n : std::vector<std::size_t>{1u, 2u, 3u, 1000u}) {
        auto r = co_await region<std::uint64_t>::create(w, n);
        std::fill(r.begin(), r.end(), pattern);
        co_await w.barrier();
        std::vector<std::uint64_t> got(n, pattern);  // and what it is to overwrite the same
        co_await r.get(next_of(w), 0, got);
        CHECK(std::count(got.begin(), got.end(), pattern) == static_cast<std::ptrdiff_t>(n));
        CHECK(r.get(next_of(w), n - 1).get() == pattern);
        co_await w.barrier();
      }
    }
  });
}

TEST_CASE("at() of a sub-region honours its offset, and so does everything else") {
  on_pes([](world& w) -> task<> {
    auto whole = co_await region<std::uint64_t>::create(w, 100);
    for (std::size_t k = 0; k < 100; ++k) whole.at(k) = mark(w.me().index(), k);
    co_await w.barrier();
    const auto outer = whole.sub_region(10, 50);
    const auto inner = outer.sub_region(5, 20);  // 15 to 34 of the whole
    const std::uint32_t me = w.me().index();
    CHECK(outer.size() == 50);
    CHECK(inner.size() == 20);
    CHECK(outer.at(0) == mark(me, 10));
    CHECK(inner.at(0) == mark(me, 15));
    CHECK(inner.at(19) == mark(me, 34));
    CHECK(&inner.local()[0] == &whole.local()[15]);
    CHECK(inner.end() - inner.begin() == 20);
    CHECK(*inner.begin() == mark(me, 15));
    const pe next = next_of(w);
    CHECK(co_await inner.get(next, 3) == mark(next.index(), 18));
    std::vector<std::uint64_t> got(20);
    co_await inner.get(next, 0, got);
    for (std::size_t k = 0; k < 20; ++k) CHECK(got[k] == mark(next.index(), 15 + k));
    CHECK(co_await inner.load(next, 4) == mark(next.index(), 19));
    co_await w.barrier();
    co_await inner.put(next, 1, 5);
    const std::vector<std::uint64_t> two{6, 7};
    co_await inner.put(next, 2, two);
    CHECK(co_await inner.fetch_add(next, 4, 1) == mark(next.index(), 19));
    co_await w.barrier();
    CHECK(whole.at(15) == mark(me, 15));
    CHECK(whole.at(16) == 5);
    CHECK(whole.at(17) == 6);
    CHECK(whole.at(18) == 7);
    CHECK(whole.at(19) == mark(me, 19) + 1);
    const auto none = inner.sub_region(20, 0);
    CHECK(none.size() == 0);
    CHECK(none.begin() == none.end());
    co_await none.put(next, 0, std::span<const std::uint64_t>{});
    co_await w.barrier();
  });
}

TEST_CASE("put_all reaches exactly the members, and each once") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint64_t>::create(w, 3 * w.size());
    const std::uint32_t me = w.me().index();
    const std::vector<std::uint64_t> mine{mark(me, 0), mark(me, 1), mark(me, 2)};
    co_await r.put_all(3 * me, mine);
    co_await w.barrier();
    for (std::uint32_t other = 0; other < w.size(); ++other) {
      for (std::size_t k = 0; k < 3; ++k) CHECK(r.at(3 * other + k) == mark(other, k));
    }
    co_await w.barrier();
    if (me == 0) r.put_all(1, 77).get();
    co_await w.barrier();
    CHECK(r.at(1) == 77);
    CHECK(r.at(0) == mark(0, 0));
    co_await r.put_all(0, std::span<const std::uint64_t>{});
    co_await w.barrier();
  });
}

TEST_CASE("a region of a team lies on its members alone, and put_all reaches exactly these") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t me = w.me().index();
    const team all{w};
    // Two teams, of the odd and of the even PEs, in descending order.
    const team mine = co_await all.split(me % 2, w.size() - me);
    auto everywhere = co_await region<std::uint64_t>::create(w, w.size());
    auto r = co_await region<std::uint64_t>::create(mine, 10 + me % 2);
    CHECK(r.size() == 10 + me % 2);
    const std::vector<std::uint64_t> one{mark(me, 3)};
    co_await r.put_all(me, one);
    co_await mine.barrier();
    for (std::uint32_t other = 0; other < w.size(); ++other) {
      CHECK(r.at(other) == (other % 2 == me % 2 ? mark(other, 3) : 0));
    }
    // PEs are named as those of the world.
    for (std::uint32_t k = 0; k < mine.size(); ++k) {
      const pe to = mine.at(team_position{k});
      CHECK(co_await r.get(to, to.index()) == mark(to.index(), 3));
      CHECK(co_await r.fetch_add(to, 9, 1) < mine.size());
    }
    co_await mine.barrier();
    CHECK(r.at(9) == mine.size());
    CHECK(std::count(everywhere.begin(), everywhere.end(), 0u) ==
          static_cast<std::ptrdiff_t>(w.size()));
    r = {};
    everywhere = {};
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("no completion is lost") {
  on_pes([](world& w) -> task<> {
    constexpr std::uint32_t count = 3000 / lamellar::testing::work_divisor;
    auto r = co_await region<std::uint32_t>::create(w, count * w.size());
    const std::uint32_t me = w.me().index();
    std::vector<completion<>> puts;
    for (std::uint32_t k = 0; k < count; ++k) {
      for (std::uint32_t to = 0; to < w.size(); ++to) {
        puts.push_back(r.put(w.at(to), me * count + k, k + 1));
      }
    }
    co_await when_all(std::move(puts));
    std::vector<completion<std::uint32_t>> gets;
    for (std::uint32_t k = 0; k < count; ++k) gets.push_back(r.get(next_of(w), me * count + k));
    const std::vector<std::uint32_t> got = co_await when_all(std::move(gets));
    bool right = true;
    for (std::uint32_t k = 0; k < count; ++k) right = right && got[k] == k + 1;
    CHECK(right);
    co_await w.barrier();
    for (std::uint32_t k = 0; k < count * w.size(); ++k)
      right = right && r.at(k) == k % count + 1;
    CHECK(right);
    co_await w.barrier();
  });
}

TEST_CASE("puts whose completions are dropped are covered by wait_all") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint64_t>::create(w, 1000);
    for (std::size_t k = 0; k < 1000; ++k) (void)r.put(next_of(w), k, k + 1);
    w.wait_all();
    co_await w.barrier();
    for (std::size_t k = 0; k < 1000; ++k) CHECK(r.at(k) == k + 1);
    co_await w.barrier();
  });
}

TEST_CASE("a get may be under way while other things are done") {
  on_pes([](world& w) -> task<> {
    constexpr std::size_t n = 1 << 20;  // 4 MiB: more pieces than are asked for at a time
    auto r = co_await region<std::uint32_t>::create(w, n);
    for (std::size_t k = 0; k < n; ++k) {
      r.local()[k] = static_cast<std::uint32_t>(mark(w.me().index(), k));
    }
    co_await w.barrier();
    const std::uint32_t next = next_of(w).index();
    std::vector<std::uint32_t> first(n);
    std::vector<std::uint32_t> second(n / 2 - 5);
    completion<> one = r.get(next_of(w), 0, first);
    completion<> other = r.sub_region(5, n - 5).get(next_of(w), 7, second);
    const int answer = co_await w.call(next_of(w), [] { return 5; });
    CHECK(answer == 5);
    co_await w.quiesce();  // covers what is under way
    co_await other;
    co_await one;
    CHECK(first[0] == static_cast<std::uint32_t>(mark(next, 0)));
    bool right = true;
    for (std::size_t k = 0; k < n; ++k) {
      right = right && first[k] == static_cast<std::uint32_t>(mark(next, k));
    }
    for (std::size_t k = 0; k < second.size(); ++k) {
      right = right && second[k] == static_cast<std::uint32_t>(mark(next, k + 12));
    }
    CHECK(right);
    co_await w.barrier();
  });
}

TEST_CASE("an exception may pass a get that is under way") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint64_t>::create(w, 100000);
    bool caught = false;
    try {
      std::vector<std::uint64_t> into(100000);
      completion<> under_way = r.get(next_of(w), 0, into);
      throw std::runtime_error("something else went wrong");
    } catch (const std::runtime_error&) {
      caught = true;
    }
    CHECK(caught);
    co_await w.quiesce();
  });
}

TEST_CASE("handlers use regions that come in messages, plain and as coroutines") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint64_t>::create(w, 64);
    const std::uint32_t me = w.me().index();
    const auto part = r.sub_region(8, 8);
    // To the PE after the next one, from the next one.
    const auto plain = [](context& at, const region<std::uint64_t>& got, std::uint64_t value) {
      const pe to{(at.me().index() + 1) % at.size()};
      got.put(to, 1, value).get();
      std::vector<std::uint64_t> back(2);
      got.get(to, 0, back).get();
      return back[1] == value && got.size() == 8 && got.local().size() == 8;
    };
    const auto coroutine = [](context at, region<std::uint64_t> got,
                              std::uint64_t value) -> task<bool> {
      const pe to{(at.me().index() + 1) % at.size()};
      co_await got.put(to, 2, value);
      const std::uint64_t one = co_await got.get(to, 2);
      std::vector<std::uint64_t> all(8);
      co_await got.get(to, 0, all);
      co_return one == value&& all[2] == value;
    };
    CHECK(co_await w.call(next_of(w), plain, part, mark(me, 1)));
    CHECK(co_await w.call(next_of(w), coroutine, part, mark(me, 2)));
    co_await w.quiesce();
    const std::uint32_t from = (me + 2 * w.size() - 2) % w.size();
    CHECK(r.at(9) == mark(from, 1));
    CHECK(r.at(10) == mark(from, 2));
    CHECK(r.at(0) == 0);
    co_await w.barrier();
  });
}

TEST_CASE("a message for memory that no region has is an error of its sender") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint64_t>::create(w, 10);
    detail::engine& here = detail::engine_of(w);
    const std::uint32_t to = next_of(w).index();
    const detail::region_id id = detail::shared_region_id(r.parts().number());
    const auto said = [&](detail::region_id which, std::uint64_t offset) {
      try {
        (void)detail::call_message<void>(here, to, 0, detail::load_remote<std::uint64_t>{},
                                         which, offset)
            .get();
      } catch (const remote_error& e) {
        return std::string{e.what()};
      }
      return std::string{};
    };
    CHECK(said(id, 72).empty());
    CHECK(said(id, 80).find("8 bytes at 80 of a memory region that has 80") !=
          std::string::npos);
    CHECK(!said(id, ~std::uint64_t{7}).empty());
    CHECK(said(id, 4).find("where none begins") != std::string::npos);
    CHECK(said(id + 1000, 0).find("does not exist") != std::string::npos);
    CHECK(said(detail::one_sided_region_id(12345), 0).find("does not exist") !=
          std::string::npos);
    co_await w.barrier();
  });
}

TEST_CASE("a region lives until the last handle has gone, wherever that is") {
  on_pes([](world& w) -> task<> {
    auto r = co_await region<std::uint64_t>::create(w, 1000);
    struct box {
      region<std::uint64_t> kept;
    };
    auto boxes = co_await darc<box>::create(w);
    const auto last = w.at(w.size() - 1);
    if (w.me() == w.at(0)) {
      boxes.send(
          last, [](box& b, const region<std::uint64_t>& got) { b.kept = got.sub_region(1, 9); },
          r);
    }
    r.at(5) = mark(w.me().index(), 5);
    r = {};
    co_await w.quiesce();
    co_await w.quiesce();
    CHECK(w.heap().in_use > 0);
    if (w.me() == last) {
      for (std::uint32_t other = 0; other < w.size(); ++other) {
        CHECK(boxes->kept.get(w.at(other), 4).get() == mark(other, 5));
      }
      boxes->kept = {};
    }
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
    boxes = {};
    co_await w.quiesce();
  });
}

TEST_CASE("many regions at once, of many sizes") {
  on_pes([](world& w) -> task<> {
    std::vector<region<std::uint16_t>> many;
    for (std::size_t n = 0; n < 60; ++n) {
      many.push_back(co_await region<std::uint16_t>::create(w, n * n * 11));
    }
    for (std::size_t n = 1; n < 60; ++n) {
      const std::vector<std::uint16_t> values(n * n * 11, static_cast<std::uint16_t>(n));
      co_await many[n].put(next_of(w), 0, values);
    }
    co_await w.barrier();
    for (std::size_t n = 1; n < 60; ++n) {
      CHECK(std::count(many[n].begin(), many[n].end(), static_cast<std::uint16_t>(n)) ==
            static_cast<std::ptrdiff_t>(n * n * 11));
    }
    for (std::size_t n = 0; n < 60; n += 2) many[n] = {};
    co_await w.quiesce();
    for (std::size_t n = 1; n < 60; n += 2) {
      CHECK(std::count(many[n].begin(), many[n].end(), static_cast<std::uint16_t>(n)) ==
            static_cast<std::ptrdiff_t>(n * n * 11));
    }
    co_await w.barrier();
  });
}
