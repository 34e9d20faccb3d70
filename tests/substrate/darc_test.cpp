// SPDX-License-Identifier: BSD-3-Clause
// Distributed objects: one part per PE, one handler at a time, and their life and end.
#include <atomic>
#include <cereal/types/vector.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <thread>
#include <vector>

#include "counted.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::alive;
using lamellar::testing::counted;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::parts_here;

namespace {

struct part : counted {
  part() = default;
  explicit part(int v) : value{v} {}
  int value = 0;
  std::vector<darc<part>> held;
};

/// Notices when two handlers are inside at once.
template <bool Concurrent>
struct guarded {
  static constexpr bool concurrent_handlers = Concurrent;
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  std::uint64_t plain = 0;  // no atomic: safe only one at a time

  void enter() {
    const int now = ++inside;
    int before = most_inside;
    while (before < now && !most_inside.compare_exchange_weak(before, now)) {
    }
  }
  void leave() { --inside; }
};

/// Stays inside for a while.
template <bool Concurrent>
struct work {
  void operator()(guarded<Concurrent>& g, std::uint32_t rounds) const {
    g.enter();
    for (std::uint32_t k = 0; k < rounds; ++k) std::this_thread::yield();
    if constexpr (!Concurrent) ++g.plain;
    g.leave();
  }
};

/// Does not leave until another one is inside, or time is up.
struct meet {
  bool operator()(guarded<true>& g) const {
    g.enter();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (g.most_inside < 2 && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    g.leave();
    return g.most_inside >= 2;
  }
};

}  // namespace

TEST_CASE("each PE has its own part, made from its own arguments") {
  on_pes([](world& w) -> task<> {
    const int mine = static_cast<int>(w.me().index()) * 10;
    auto parts = co_await darc<part>::create(w, mine);
    CHECK(parts->value == mine);
    CHECK((*parts).value == mine);
    CHECK(parts.local().value == mine);
    CHECK(&parts.where() == &w);
    const std::vector<int> all = parts.call_all([](part& p) { return p.value; }).get();
    for (std::uint32_t pe = 0; pe < w.size(); ++pe) CHECK(all[pe] == static_cast<int>(pe) * 10);
    CHECK(static_cast<bool>(parts));
    CHECK(!darc<part>{});
  });
}

TEST_CASE("parts live until the first quiesce after the last handle has gone") {
  on_pes([](world& w) -> task<> {
    co_await w.barrier();
    CHECK(alive == 0);
    co_await w.barrier();
    auto first = co_await darc<part>::create(w);
    CHECK(alive == parts_here(w));
    co_await w.quiesce();
    CHECK(alive == parts_here(w));
    darc<part> second = first;
    first = {};
    co_await w.quiesce();
    CHECK(alive == parts_here(w));
    darc<part> third = std::move(second);
    CHECK(!second);
    co_await w.quiesce();
    CHECK(alive == parts_here(w));
    third = {};
    co_await w.barrier();
    CHECK(alive == parts_here(w));  // a destructor alone never waits for anybody
    co_await w.barrier();
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 0);
  });
}

TEST_CASE("a handle on one PE keeps the parts of all") {
  on_pes([](world& w) -> task<> {
    auto parts = co_await darc<part>::create(w);
    for (std::uint32_t last = 0; last < w.size(); ++last) {
      if (w.me().index() != w.size() - 1) parts = {};
    }
    for (int k = 0; k < 5; ++k) {
      co_await w.quiesce();
      CHECK(alive == parts_here(w));
      if (w.me().index() == w.size() - 1) {
        parts.send(w.at(0), [](part& p) { ++p.value; });
      }
    }
    co_await w.quiesce();
    parts = {};
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 0);
  });
}

TEST_CASE("many objects are made and destroyed") {
  on_pes([](world& w) -> task<> {
    std::vector<darc<part>> many;
    for (int k = 0; k < 100; ++k) many.push_back(co_await darc<part>::create(w, k));
    for (int k = 0; k < 100; ++k) {
      many[static_cast<std::size_t>(k)].send_all([](part& p) { ++p.value; });
    }
    co_await w.quiesce();
    bool right = true;
    for (int k = 0; k < 100; ++k) {
      right =
          right && many[static_cast<std::size_t>(k)]->value == k + static_cast<int>(w.size());
    }
    CHECK(right);
    CHECK(alive == 100 * parts_here(w));
    co_await w.barrier();
    many.erase(many.begin() + 50, many.end());
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 50 * parts_here(w));
    co_await w.barrier();
    many.clear();
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 0);
  });
}

TEST_CASE("a handle travels: at the top of a message, in a container, in a part") {
  on_pes([](world& w) -> task<> {
    auto parts = co_await darc<part>::create(w);
    auto others = co_await darc<part>::create(w);
    w.send(
        next_of(w),
        [](context& at, const darc<part>& got) {
          got.send(at.origin(), [](part& p) { ++p.value; });
        },
        parts);
    co_await w.quiesce();
    CHECK(parts->value == 1);

    const auto count = [](const std::vector<darc<part>>& got) {
      int sum = 0;
      for (const darc<part>& one : got) sum += one->value;
      return sum;
    };
    CHECK(w.call(next_of(w), count, std::vector<darc<part>>{parts, others, parts}).get() == 2);
    const auto empty = [](const darc<part>& got) { return !got; };
    CHECK(w.call(next_of(w), empty, darc<part>{}).get());
    // As a result.
    const auto give_back = [](context&, const darc<part>& got) { return got; };
    const darc<part> same = w.call(next_of(w), give_back, parts).get();
    CHECK(&*same == &*parts);
  });
}

TEST_CASE("a handle that is kept by a handler keeps the parts") {
  on_pes([](world& w) -> task<> {
    co_await w.quiesce();
    co_await w.barrier();
    const int before = alive;
    co_await w.barrier();
    {
      auto keeper = co_await darc<part>::create(w);
      {
        auto kept = co_await darc<part>::create(w, 7);
        if (w.me().index() == 0) {
          keeper.send(
              w.at(w.size() - 1), [](part& p, const darc<part>& got) { p.held.push_back(got); },
              kept);
        }
        kept = {};  // perhaps before the message with the handle has been handled
        for (int k = 0; k < 3; ++k) {
          co_await w.quiesce();
          co_await w.barrier();
          CHECK(alive == before + 2 * parts_here(w));
          co_await w.barrier();
        }
      }
      if (w.me().index() == w.size() - 1) {
        CHECK(keeper->held[0]->value == 7);
        keeper->held.clear();
      }
      co_await w.quiesce();
      co_await w.barrier();
      CHECK(alive == before + parts_here(w));
      co_await w.barrier();
    }
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == before);
  });
}

TEST_CASE("a handle hops from PE to PE while nobody else holds one") {
  on_pes([](world& w) -> task<> {
    struct hop {
      task<> operator()(context at, darc<part> got, std::uint32_t left) const {
        co_await at.world().yield();
        ++got->value;
        if (left != 0) {
          at.world().send(at.world().at((at.me().index() + 1) % at.size()), hop{}, got,
                          left - 1);
        }
      }
    };
    for (int round = 0; round < 20; ++round) {
      auto parts = co_await darc<part>::create(w);
      if (w.me().index() == 0) w.send(next_of(w), hop{}, parts, 5 * w.size());
      parts = {};
      co_await w.quiesce();
      co_await w.quiesce();
      co_await w.barrier();
      CHECK(alive == 0);
      co_await w.barrier();
    }
  });
}

TEST_CASE("handlers of an object never overlap, whatever runs them") {
  on_pes([](world& w) -> task<> {
    auto objects = co_await darc<guarded<false>>::create(w);
    for (std::uint32_t k = 0; k < 3000; ++k) {
      objects.send(w.at(k % w.size()), work<false>{}, k % 3);
      if (k % 10 == 0) (void)objects.call(w.at(k / 10 % w.size()), work<false>{}, 2u);
    }
    co_await w.quiesce();
    CHECK(objects->most_inside == 1);
    CHECK(objects->plain == 3300);
  });
}

TEST_CASE("handlers of an object that allows it do overlap, where there are threads") {
  on_pes([](world& w) -> task<> {
    auto objects = co_await darc<guarded<true>>::create(w);
    if (w.threads() > 1) {
      // From two PEs, or by two buffers: both must be inside at once to end.
      std::vector<reply<bool>> met;
      for (int k = 0; k < 2; ++k) {
        met.push_back(objects.call(w.me(), meet{}));
        w.flush();
      }
      for (reply<bool>& one : met) CHECK(one.get());
    }
    for (std::uint32_t k = 0; k < 1000; ++k) objects.send(w.at(k % w.size()), work<true>{}, 1u);
    co_await w.quiesce();
    CHECK(objects->inside == 0);
  });
}

TEST_CASE("exclusive keeps handlers out") {
  on_pes([](world& w) -> task<> {
    auto objects = co_await darc<guarded<false>>::create(w);
    for (std::uint32_t round = 0; round < 100; ++round) {
      for (std::uint32_t to = 0; to < w.size(); ++to) {
        for (int k = 0; k < 5; ++k) objects.send(w.at(to), work<false>{}, 1u);
      }
      w.flush();
      objects.exclusive([](guarded<false>& g) {
        g.enter();
        ++g.plain;
        std::this_thread::yield();
        g.leave();
      });
    }
    co_await w.quiesce();
    CHECK(objects->most_inside == 1);
    CHECK(objects->plain == 100 * (5 * w.size() + 1));
    // What is thrown comes out, and lets handlers in again.
    CHECK_THROWS_AS(objects.exclusive([](guarded<false>&) { throw std::runtime_error("no"); }),
                    std::runtime_error);
    w.call(w.me(), [] {}).get();
    objects.call(w.me(), work<false>{}, 0u).get();
    co_await w.quiesce();
  });
}

TEST_CASE("coroutine handlers of one object wait without shutting others out") {
  on_pes([](world& w) -> task<> {
    auto objects = co_await darc<guarded<false>>::create(w);
    struct wait_for_other {
      task<> operator()(context at, darc<guarded<false>> self) const {
        // Were the object still taken, this would wait for ever.
        co_await self.call(at.me(), work<false>{}, 0u);
      }
    };
    for (int k = 0; k < 100; ++k) objects.send_all(wait_for_other{});
    co_await w.quiesce();
    CHECK(objects->plain == 100 * w.size());
  });
}
