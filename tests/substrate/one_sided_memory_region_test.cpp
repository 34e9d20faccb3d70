// SPDX-License-Identifier: BSD-3-Clause
// One-sided memory regions: made by one PE, used by all who get a handle, freed after the last
// of these.
#include <algorithm>
#include <lamellar/substrate/by_value.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/one_sided_memory_region.hpp>
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
using region = one_sided_memory_region<T>;
using numbers = region<std::uint64_t>;

/// Where a PE keeps handles.
struct shelf {
  std::vector<numbers> kept;
};

struct keep {
  void operator()(shelf& on, const numbers& got) const { on.kept.push_back(got); }
};

/// Takes the last handle off the shelf and passes it on, `rounds` times, to any PE.
struct pass_on {
  void operator()(context& at, darc<shelf> on, std::uint32_t rounds) const {
    if (on->kept.empty()) return;
    const numbers last = std::move(on->kept.back());
    on->kept.pop_back();
    const pe to{static_cast<std::uint32_t>(last.get(0).get() + rounds) % at.size()};
    on.send(to, keep{}, last);
    if (rounds != 0) on.send(to, pass_on{}, rounds - 1);
  }
};

}  // namespace

TEST_CASE("a region is made without anybody else, and is plain memory of its PE") {
  on_pes([](world& w) -> task<> {
    if (w.me().index() % 2 == 0) {
      const auto r = numbers::create(w, 100);
      CHECK(r.size() == 100);
      CHECK(r.is_local());
      CHECK(r.owner() == w.me());
      CHECK(std::count(r.begin(), r.end(), 0u) == 100);
      std::iota(r.begin(), r.end(), 1u);
      CHECK(r.at(99) == 100);
      CHECK(r.get(5).get() == 6);
      r.put(5, 60).get();
      CHECK(r.local()[5] == 60);
      const auto none = region<char>::create(w, 0);
      CHECK(none.size() == 0);
      CHECK(none.begin() == none.end());
      CHECK(w.heap().in_use >= 800);
    }
    CHECK(!numbers{});
    CHECK(!numbers{}.is_local());
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("a handle handed over in a message reads and writes the memory of its owner") {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : std::vector<std::size_t>{10u, 3000u, 300000u}) {
      const auto r = numbers::create(w, n);
      std::iota(r.begin(), r.end(), std::uint64_t{w.me().index()});
      const auto use = [](context at, numbers got, std::uint64_t first) -> task<bool> {
        std::vector<std::uint64_t> all(got.size());
        co_await got.get(0, all);
        bool right = got.owner() == at.origin();
        for (std::size_t k = 0; k < all.size(); ++k) right = right && all[k] == first + k;
        for (auto& each : all) each *= 2;
        co_await got.put(0, all);
        co_await got.put(1, 5);
        co_return right&& co_await got.get(1) == 5;
      };
      CHECK(co_await w.call(next_of(w), use, r, std::uint64_t{w.me().index()}));
      CHECK(r.at(0) == 2 * w.me().index());
      CHECK(r.at(1) == 5);
      CHECK(r.at(n - 1) == 2 * (w.me().index() + n - 1));
      // A plain handler, that waits.
      CHECK(co_await w.call(
          next_of(w),
          [](const numbers& got) {
            got.put(0, std::vector<std::uint64_t>{8, 9}).get();
            std::vector<std::uint64_t> back(2);
            got.get(0, back).get();
            return back[0] + back[1] == 17;
          },
          r));
      CHECK(r.at(1) == 9);
    }
    co_await w.quiesce();
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("at() of a one-sided sub-region honours its offset, here and there") {
  on_pes([](world& w) -> task<> {
    const auto whole = numbers::create(w, 100);
    std::iota(whole.begin(), whole.end(), 0u);
    const auto inner = whole.sub_region(10, 50).sub_region(5, 20);
    CHECK(inner.at(0) == 15);
    CHECK(inner.at(19) == 34);
    CHECK(*inner.begin() == 15);
    CHECK(inner.end() - inner.begin() == 20);
    CHECK(co_await w.call(
        next_of(w),
        [](const numbers& got) {
          std::vector<std::uint64_t> all(20);
          got.get(0, all).get();
          const auto last = got.sub_region(19, 1);
          last.put(0, 1000).get();
          return got.size() == 20 && all[0] == 15 && all[19] == 34 &&
                 got.fetch_add(3, 100).get() == 18;
        },
        inner));
    CHECK(whole.at(34) == 1000);
    CHECK(whole.at(18) == 118);
    CHECK(whole.at(35) == 35);
  });
}

TEST_CASE("the memory lives until no PE holds a handle") {
  on_pes([](world& w) -> task<> {
    auto shelves = co_await darc<shelf>::create(w);
    const pe last = w.at(w.size() - 1);
    if (w.me() == w.at(0)) {
      auto r = numbers::create(w, 50);
      r.at(7) = 99;
      shelves.send(last, keep{}, r);
      shelves.send(last, keep{}, r.sub_region(7, 1));
    }
    for (int round = 0; round < 4; ++round) {
      co_await w.quiesce();
      if (w.me() == w.at(0)) CHECK(w.heap().in_use > 0);
    }
    if (w.me() == last) {
      CHECK(shelves->kept.size() == 2);
      auto& kept = shelves->kept;
      const bool whole_first = kept[0].size() == 50;
      CHECK(kept[whole_first ? 0 : 1].get(7).get() == 99);
      CHECK(kept[whole_first ? 1 : 0].get(0).get() == 99);
      kept.pop_back();
    }
    co_await w.quiesce();
    co_await w.quiesce();
    if (w.me() == w.at(0)) CHECK(w.heap().in_use > 0);
    shelves->kept.clear();
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("a handle that comes home keeps the memory") {
  on_pes([](world& w) -> task<> {
    auto shelves = co_await darc<shelf>::create(w);
    auto r = numbers::create(w, 10);
    r.at(0) = w.me().index();
    // To the next PE and back, while this one lets go of its own.
    const auto send_back = [](context& at, const darc<shelf>& on, const numbers& got) {
      on.send(at.origin(), keep{}, got);
    };
    w.send(next_of(w), send_back, shelves, r);
    r = {};
    co_await w.quiesce();
    co_await w.quiesce();
    CHECK(shelves->kept.size() == 1);
    CHECK(shelves->kept.at(0).is_local());
    CHECK(shelves->kept.at(0).at(0) == w.me().index());
    co_await w.barrier();
    shelves->kept.clear();
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("handles that wander from PE to PE neither leak nor free early") {
  on_pes([](world& w) -> task<> {
    auto shelves = co_await darc<shelf>::create(w);
    auto random = lamellar::testing::seeded(w, 77);
    const int rounds = 60 / lamellar::testing::work_divisor + 2;
    for (int round = 0; round < rounds; ++round) {
      for (int k = 0; k < 3; ++k) {
        auto r = numbers::create(w, 1 + random() % 5000);
        std::fill(r.begin(), r.end(), random());
        shelves.send(w.at(static_cast<std::uint32_t>(random() % w.size())), keep{}, r);
      }
      for (std::uint32_t to = 0; to < w.size(); ++to) {
        shelves.send(w.at(to), pass_on{}, static_cast<std::uint32_t>(random() % 6));
      }
      if (random() % 2 == 0) w.poll();
      co_await w.quiesce();
      // Nothing is under way. Each handle's memory is whole: all its words are one number.
      for (const numbers& each : shelves->kept) {
        std::vector<std::uint64_t> all(each.size());
        each.get(0, all).get();
        CHECK(std::count(all.begin(), all.end(), all[0]) ==
              static_cast<std::ptrdiff_t>(all.size()));
      }
      while (shelves->kept.size() > 4) shelves->kept.pop_back();
      co_await w.barrier();
    }
    co_await w.quiesce();
    shelves->kept.clear();
    co_await w.quiesce();
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("a region without elements is a region") {
  on_pes([](world& w) -> task<> {
    auto none = numbers::create(w, 0);
    CHECK(none.size() == 0);
    CHECK(static_cast<bool>(none));
    CHECK(none.is_local());
    CHECK(none.local().empty());
    CHECK(none.sub_region(0, 0).size() == 0);
    none.put(0, std::span<const std::uint64_t>{}).get();
    none.get(0, std::span<std::uint64_t>{}).get();
    // Elsewhere too, and back.
    const auto back = co_await w.call(
        next_of(w),
        [](const numbers& got) {
          got.put(0, std::span<const std::uint64_t>{}).get();
          return got;
        },
        none);
    CHECK(back.size() == 0);
    CHECK(back.owner() == w.me());
    CHECK(w.heap().in_use == 0);
    co_await w.quiesce();
  });
}

TEST_CASE("a handle in an answer that nobody has read keeps the region") {
  on_pes([](world& w) -> task<> {
    const auto make = [](context& at) {
      auto made = numbers::create(at.world(), 20);
      made.at(3) = 33 + at.origin().index();
      return made;
    };
    const auto make_two = [make](context& at) { return std::vector{make(at), make(at)}; };
    const auto two = by_value(make_two);
    for (int round = 0; round < 3; ++round) {
      auto unread = w.call(next_of(w), make);
      auto several = w.call(next_of(w), two);
      auto own = w.call(w.me(), make);
      for (int k = 0; k < 3; ++k) co_await w.quiesce();
      CHECK(w.heap().in_use > 0);
      if (round == 0) {
        numbers got = unread.get();
        CHECK(got.owner() == next_of(w));
        CHECK(got.get(3).get() == 33 + w.me().index());
        for (const numbers& each : several.get())
          CHECK(each.get(3).get() == 33 + w.me().index());
        CHECK(own.get().get(3).get() == 33 + w.me().index());
        // Once read it is the handle that counts.
        for (int k = 0; k < 2; ++k) co_await w.quiesce();
        CHECK(w.heap().in_use > 0);
        CHECK(got.get(3).get() == 33 + w.me().index());
        co_await w.barrier();
      }
      co_await w.barrier();
      // Dropped unread, nothing is left.
      unread = {};
      several = {};
      own = {};
      for (int k = 0; k < 2; ++k) co_await w.quiesce();
      CHECK(w.heap().in_use == 0);
      co_await w.barrier();
    }
    // Dropped before it comes.
    { [[maybe_unused]] const auto dropped = w.call(next_of(w), make); }
    for (int k = 0; k < 2; ++k) co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("a handle of a region that is gone, or never was, is refused") {
  on_pes([](world& w) {
    detail::one_sided_table& table = detail::engine_of(w).one_sided();
    const std::uint32_t me = w.me().index();
    const auto refusal = [&](const detail::one_sided_name& name) {
      try {
        table.arrive(name);
      } catch (const corrupt_message& e) {
        return std::string{e.what()};
      }
      return std::string{};
    };
    const std::string gone = refusal({me, 12345, 1, 4096, 0, 64});
    CHECK(gone.find("region 12345 of PE") != std::string::npos);
    CHECK(gone.find("does not exist (any more)") != std::string::npos);
    CHECK(refusal({w.size(), 1, 1, 4096, 0, 64}).find("in a world of") != std::string::npos);
    CHECK(refusal({me, 1, 1, 4096, 4090, 64}).find("exceeds") != std::string::npos);
    CHECK(refusal({me, 1, 1, 4096, 0, 5000}).find("exceeds") != std::string::npos);
  });
}

TEST_CASE("who lets go in the next quiesce does not count before it") {
  // What PEs tell an owner, in an order that messages may have: PE 1 holds the region, is the
  // first to leave quiesce 0, hands its handle to PE 2 and enters quiesce 1, and its word comes
  // before PE 2's and before the owner leaves quiesce 0.
  on_pes([](world& w) {
    detail::one_sided_table table{detail::engine_of(w)};
    detail::one_sided_entry& made = table.make(100);
    const std::uint32_t number = made.name.number;
    const auto is_there = [&] {
      try {
        return table.find(number).size() == 100;
      } catch (const corrupt_message&) {
        return false;
      }
    };
    table.hold(number);  // PE 1
    made.handles = 0;
    table.announce(0);
    table.let_go(number, 1);  // PE 1 again, ahead of the others
    table.retire(0);
    CHECK(is_there());
    table.hold(number);  // PE 2
    table.announce(1);
    table.retire(1);
    CHECK(is_there());
    table.let_go(number, 2);  // PE 2
    table.announce(2);
    table.retire(2);
    CHECK(!is_there());
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("one-sided atomics from everywhere lose nothing") {
  on_pes([](world& w) -> task<> {
    constexpr std::uint64_t each = 500;
    auto shelves = co_await darc<shelf>::create(w);
    const auto mine = numbers::create(w, 2);
    shelves.send_all(keep{}, mine);
    co_await w.quiesce();
    for (const numbers& r : shelves->kept) {
      for (std::uint64_t k = 0; k < each; ++k) {
        (void)r.add(0, 1);
        (void)co_await r.fetch_add(1, 2);
      }
    }
    w.wait_all();
    co_await w.barrier();
    CHECK(mine.at(0) == each * w.size());
    CHECK(mine.at(1) == 2 * each * w.size());
    CHECK(co_await mine.load(0) == each * w.size());
    co_await w.barrier();
  });
}
