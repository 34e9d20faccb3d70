// SPDX-License-Identifier: BSD-3-Clause
// Groups of messages and tasks: waited for by themselves, whatever else is under way.
#include <atomic>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/task_group.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "counters.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::counter;
using lamellar::testing::every_second;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::one_of_its_own;
using lamellar::testing::sum_of;

namespace {

/// A coroutine handler that ends late.
struct add_later {
  task<> operator()(context at, darc<counter> to, int yields) const {
    for (int k = 0; k < yields; ++k) co_await at.world().yield();
    ++to->value;
  }
};
struct add {
  void operator()(const darc<counter>& to) const { ++to->value; }
};

task<> wait_for(world& w, const std::atomic<bool>& open) {
  while (!open) co_await w.yield();
}

task<int> count_to(world& w, int n) {
  for (int k = 0; k < n; ++k) co_await w.yield();
  co_return n;
}

task<int> fail_after(world& w, int n) {
  (void)co_await count_to(w, n);
  throw std::runtime_error("a task of the group");
}

}  // namespace

TEST_CASE("a group waits for its sends, the ends of coroutine handlers included") {
  on_pes([](world& w) -> task<> {
    const auto to = co_await one_of_its_own<counter>(w);
    task_group group{w};
    CHECK(group.pending() == 0);
    co_await group.done();
    for (int k = 0; k < 500; ++k) {
      group.send(w.at(static_cast<std::uint32_t>(k) % w.size()), add_later{}, to, k % 5);
      group.send(next_of(w), add{}, to);
    }
    group.send_all(add_later{}, to, 3);
    co_await group.done();
    CHECK(group.pending() == 0);
    CHECK(sum_of(to) == 1000 + w.size());
    // It can be used again, and waited for by blocking.
    for (int k = 0; k < 10; ++k) group.send(next_of(w), add_later{}, to, 2);
    group.wait_all();
    CHECK(sum_of(to) == 1010 + w.size());
    co_await w.quiesce();
  });
}

TEST_CASE("a group does not wait for what is not of it") {
  on_pes([](world& w) -> task<> {
    std::atomic<bool> open{false};
    auto other = w.spawn(wait_for(w, open));
    task_group group{w};
    task_group never{w};
    (void)never.spawn(wait_for(w, open));
    group.send(next_of(w), [] {});
    auto number = group.call(next_of(w), [] { return 5; });
    auto counted = group.spawn(count_to(w, 10));
    auto all = group.call_all([](context& at) { return at.me().index(); });
    co_await group.done();
    CHECK(!other.ready());
    CHECK(never.pending() == 1);
    CHECK(counted.ready());
    CHECK(number.ready());
    CHECK(co_await number == 5);
    CHECK(co_await counted == 10);
    CHECK((co_await all).size() == w.size());
    open = true;
    co_await other;
    co_await never.done();
  });
}

TEST_CASE("what nobody else hears of comes out of done(), once") {
  on_pes([](world& w) -> task<> {
    task_group group{w};
    for (int k = 0; k < 3; ++k) {
      group.send(next_of(w), [] { throw std::runtime_error("in a handler"); });
    }
    (void)group.spawn(fail_after(w, 3));
    auto heard = group.spawn(fail_after(w, 2));
    auto heard_too = group.call(next_of(w), []() -> int { throw std::runtime_error("heard"); });
    try {
      co_await group.done();
      CHECK(false);
    } catch (const remote_error& e) {
      CHECK(e.count() == 4);
    }
    CHECK_THROWS_AS(heard.get(), std::runtime_error);
    CHECK_THROWS_AS(heard_too.get(), remote_error);
    co_await group.done();
    w.wait_all();
    co_await w.quiesce();
  });
}

TEST_CASE("a group that is dropped does not wait; what fails then is not lost") {
  on_pes([](world& w) -> task<> {
    const auto to = co_await darc<counter>::create(w);
    {
      task_group group{w};
      for (int k = 0; k < 20; ++k) group.send(next_of(w), add_later{}, to, 5);
      if (w.me().index() == 0) {
        group.send(next_of(w), [] { throw std::runtime_error("after the group"); });
      }
    }
    bool thrown = false;
    try {
      co_await w.quiesce();
    } catch (const remote_error& e) {
      thrown = std::string{e.what()}.find("after the group") != std::string::npos;
    }
    CHECK(thrown);
    CHECK(to->value == 20);
  });
}

TEST_CASE("a handler has a group of its own and waits for it; wait_all in it would not end") {
  on_pes([](world& w) -> task<> {
    const auto to = co_await darc<counter>::create(w);
    struct spread {
      task<std::uint64_t> operator()(context at, darc<counter> into, int depth) const {
        task_group group{at.world()};
        if (depth != 0) {
          for (int k = 0; k < 2; ++k) {
            (void)group.call(pe{(at.me().index() + 1) % at.size()}, spread{}, into, depth - 1);
          }
        }
        group.send(at.origin(), add_later{}, into, 2);
        co_await group.done();
        co_return group.pending();
      }
    };
    CHECK(co_await w.call(next_of(w), spread{}, to, 5) == 0);
    co_await w.quiesce();
    CHECK(sum_of(to) == 63 * w.size());
    co_await w.quiesce();
  });
}

TEST_CASE("sends of a group reuse their slots: as many as one likes") {
  on_pes([](world& w) -> task<> {
    const auto to = co_await darc<counter>::create(w);
    task_group group{w};
    const std::uint64_t many = 400000 / lamellar::testing::work_divisor;
    for (std::uint64_t k = 0; k < many; ++k) group.send(next_of(w), add{}, to);
    co_await group.done();
    co_await w.quiesce();
    CHECK(to->value == many);
  });
}

TEST_CASE("a group of a team sends to its members, and gives results by position") {
  on_pes([](world& w) -> task<> {
    const team t = co_await every_second(w);
    const auto to = co_await one_of_its_own<counter>(w);
    const auto who = [](context& at) { return at.me().index(); };
    std::optional<task_group> group;
    {
      team passing = t;  // the group has one of its own
      group.emplace(std::move(passing));
    }
    for (std::uint32_t k = 0; k < t.size(); ++k) {
      group->send(team_position{k}, add_later{}, to, 3);
      group->send(t.at(team_position{k}), add{}, to);
    }
    group->send_all(add_later{}, to, 2);
    auto last = group->call(team_position{t.size() - 1}, who);
    auto all = group->call_all(who);
    co_await group->done();
    CHECK(last.ready());
    CHECK(co_await last == t.at(team_position{t.size() - 1}).index());
    const std::vector<std::uint32_t> found = co_await all;
    REQUIRE(found.size() == t.size());
    for (std::uint32_t k = 0; k < t.size(); ++k) {
      CHECK(found[k] == t.at(team_position{k}).index());
    }
    const std::vector<std::uint64_t> counts =
        co_await to.call_all([](counter& c) { return c.value.load(); });
    for (std::uint32_t p = 0; p < w.size(); ++p) {
      CHECK(counts[p] == (t.contains(w.at(p)) ? 3 : 0));
    }
    co_await w.quiesce();
  });
}
