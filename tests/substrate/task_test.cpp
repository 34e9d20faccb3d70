// SPDX-License-Identifier: BSD-3-Clause
// Tasks, replies, spawned tasks and when_all, as a body uses them.
#include <atomic>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/when_all.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

task<int> remember(std::shared_ptr<int> began, int result) {
  ++*began;
  co_return result;
}

task<int> fail_at_once() {
  throw std::runtime_error("at once");
  co_return 0;
}

task<int> fail_after(world& w, pe to) {
  co_await w.call(to, [] {});
  throw std::out_of_range("later");
}

task<int> ask(world& w, pe to, int a) {
  co_return co_await w.call(
      to, [](int b) { return b; }, a);
}

task<> do_nothing() { co_return; }

task<int> chain(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await chain(depth - 1);
}

/// Ask each of `to` in turn, so that the task stays suspended for a while.
task<int> ask_around(world& w, int rounds) {
  int sum = 0;
  for (int k = 0; k < rounds; ++k) {
    sum += co_await w.call(
        w.at(static_cast<std::uint32_t>(k) % w.size()), [](int b) { return b; }, k);
  }
  co_return sum;
}

}  // namespace

TEST_CASE("a task does nothing until it is awaited, started or blocked on") {
  on_pes([](world&) -> task<> {
    auto began = std::make_shared<int>(0);
    task<int> first = remember(began, 1);
    task<int> second = remember(began, 2);
    { task<int> never = remember(began, 3); }
    CHECK(*began == 0);
    CHECK(second.get() == 2);
    CHECK(*began == 1);
    CHECK(co_await first == 1);
    CHECK(*began == 2);
    task<int> third = remember(began, 4);
    third.start();
    third.start();
    CHECK(*began == 3);
    CHECK(third.finished());
    CHECK(co_await third == 4);
    first = {};
    second = {};
    third = {};
    CHECK(began.use_count() == 1);
  });
}

TEST_CASE("a chain of tasks that never suspend") {
  on_pes([](world&) -> task<> {
    CHECK(co_await chain(500) == 500);
    co_await do_nothing();
    do_nothing().get();
  });
}

TEST_CASE("a loop of a million awaited tasks uses no stack") {
  on_pes([](world&) -> task<> {
    const auto one = []() -> task<int> { co_return 1; };
    constexpr int rounds = 1000000 / lamellar::testing::work_divisor;
    int sum = 0;
    for (int k = 0; k < rounds; ++k) sum += co_await one();
    CHECK(sum == rounds);
  });
}

TEST_CASE("what a task throws comes out where it is awaited") {
  on_pes([](world& w) -> task<> {
    CHECK_THROWS_WITH_AS(fail_at_once().get(), "at once", std::runtime_error);
    CHECK_THROWS_AS(fail_after(w, next_of(w)).get(), std::out_of_range);
    bool caught = false;
    try {
      co_await fail_after(w, next_of(w));
    } catch (const std::out_of_range& e) {
      caught = std::string{e.what()} == "later";
    }
    CHECK(caught);
    spawned<int> beside = w.spawn(fail_after(w, next_of(w)));
    CHECK_THROWS_WITH_AS(beside.get(), "later", std::out_of_range);
    spawned<int> awaited = w.spawn(fail_after(w, next_of(w)));
    caught = false;
    try {
      co_await awaited;
    } catch (const std::out_of_range&) {
      caught = true;
    }
    CHECK(caught);
  });
}

TEST_CASE("replies may be fetched in any order, moved and asked whether they are ready") {
  on_pes([](world& w) -> task<> {
    std::vector<reply<int>> replies;
    for (int k = 0; k < 300; ++k) {
      replies.push_back(w.call(
          w.at(static_cast<std::uint32_t>(k) % w.size()), [](int a) { return a * a; }, k));
    }
    for (int k = 299; k >= 0; k -= 2)
      CHECK(replies[static_cast<std::size_t>(k)].get() == k * k);
    for (int k = 0; k < 300; k += 2) {
      reply<int> moved = std::move(replies[static_cast<std::size_t>(k)]);
      CHECK(!replies[static_cast<std::size_t>(k)].valid());
      lamellar::testing::progress_until(
          w, [&] { return moved.ready(); }, "a reply");
      CHECK(co_await moved == k * k);
      CHECK(!moved.valid());
    }
    reply<int> replaced = w.call(
        next_of(w), [](int a) { return a; }, 1);
    replaced = w.call(
        next_of(w), [](int a) { return a; }, 2);
    CHECK(replaced.get() == 2);
    CHECK(!reply<int>{}.valid());
  });
}

TEST_CASE("a million dropped replies leave nothing behind") {
  on_pes([](world& w) -> task<> {
    const std::uint64_t before = lamellar::testing::resident_bytes();
    const auto big = [](int a) { return std::string(static_cast<std::size_t>(a), 'x'); };
    const int calls = 1000000 / lamellar::testing::work_divisor / static_cast<int>(w.size());
    for (int k = 0; k < calls; ++k) {
      if (k % 100 == 0) {
        (void)w.call(next_of(w), big, 100);
      } else {
        (void)w.call(
            next_of(w), [](int a) { return a; }, k);
      }
    }
    w.wait_all();
    co_await w.barrier();
    // A million slots in use at once would be 64 MB; one PE keeps at most an eighth of that.
    if (lamellar::testing::measures_memory) {
      CHECK(lamellar::testing::resident_bytes() < before + (std::uint64_t{256} << 20));
    }
    CHECK(w.call(next_of(w), big, 100).get() == std::string(100, 'x'));
  });
}

TEST_CASE("a reply that is dropped while its answer is on the way, or after it came") {
  on_pes([](world& w) -> task<> {
    for (int k = 0; k < 200; ++k) {
      reply<std::string> dropped_ready = w.call(
          next_of(w), [](int a) { return std::string(static_cast<std::size_t>(a), 'y'); },
          40 + k);
      {
        reply<int> dropped_pending = w.call(
            next_of(w), [](int a) { return a; }, k);
      }
      lamellar::testing::progress_until(
          w, [&] { return dropped_ready.ready(); }, "a reply");
      CHECK(w.call(
                 next_of(w), [](int a) { return a; }, k)
                .get() == k);
    }
    w.wait_all();
    co_await w.barrier();
  });
}

TEST_CASE("a started task that is dropped goes on to its end") {
  on_pes([](world& w) -> task<> {
    auto ended = std::make_shared<std::atomic<int>>(0);
    const auto work = [](world& of, pe to, std::shared_ptr<std::atomic<int>> end) -> task<> {
      co_await of.call(to, [] {});
      ++*end;
    };
    for (int k = 0; k < 100; ++k) {
      task<> dropped = work(w, next_of(w), ended);
      dropped.start();
    }
    lamellar::testing::progress_until(
        w, [&] { return *ended == 100; }, "dropped tasks");
    co_await w.quiesce();
    CHECK(ended.use_count() == 1);
  });
}

TEST_CASE("spawned tasks run beside the body, are awaited or dropped, and count for wait_all") {
  on_pes([](world& w) -> task<> {
    std::vector<spawned<int>> beside;
    for (int k = 0; k < 50; ++k) beside.push_back(w.spawn(ask_around(w, k)));
    for (int k = 0; k < 50; k += 2) {
      CHECK(co_await beside[static_cast<std::size_t>(k)] == k * (k - 1) / 2);
    }
    CHECK(beside[1].get() == 0);
    beside.clear();

    auto ended = std::make_shared<std::atomic<int>>(0);
    const auto work = [](world& of, int rounds,
                         std::shared_ptr<std::atomic<int>> end) -> task<> {
      co_await ask_around(of, rounds);
      ++*end;
    };
    for (int k = 0; k < 50; ++k) (void)w.spawn(work(w, k, ended));
    w.wait_all();
    CHECK(*ended == 50);
    for (int k = 0; k < 50; ++k) (void)w.spawn(work(w, k, ended));
    co_await w.quiesce();
    CHECK(*ended == 100);
  });
}

TEST_CASE("when_all gives all results in order, of replies, tasks and spawned tasks") {
  on_pes([](world& w) -> task<> {
    const pe next = next_of(w);
    auto [a, b, c, d] =
        co_await when_all(w.call(
                              next, [](int x) { return x; }, 1),
                          ask(w, next, 2), w.spawn(ask(w, next, 3)), w.call(next, [] {}));
    CHECK(a == 1);
    CHECK(b == 2);
    CHECK(c == 3);
    CHECK(d == std::monostate{});

    std::vector<reply<int>> replies;
    for (int k = 0; k < 100; ++k)
      replies.push_back(w.call(
          next, [](int x) { return x; }, k));
    const std::vector<int> results = co_await when_all(std::move(replies));
    REQUIRE(results.size() == 100);
    for (int k = 0; k < 100; ++k) CHECK(results[static_cast<std::size_t>(k)] == k);

    std::vector<task<>> nothing;
    for (int k = 0; k < 10; ++k) nothing.push_back(do_nothing());
    co_await when_all(std::move(nothing));
    CHECK(when_all(std::vector<task<int>>{}).get().empty());

    std::vector<task<int>> some;
    some.push_back(ask(w, next, 1));
    some.push_back(fail_after(w, next));
    some.push_back(ask(w, next, 3));
    CHECK_THROWS_AS(when_all(std::move(some)).get(), std::out_of_range);
    w.wait_all();
  });
}

TEST_CASE("yield lets the other tasks of a PE go first") {
  on_pes([](world& w) -> task<> {
    auto order = std::make_shared<std::atomic<int>>(0);
    const auto work = [](world& of, std::shared_ptr<std::atomic<int>> shared) -> task<int> {
      for (int k = 0; k < 10; ++k) {
        ++*shared;
        co_await of.yield();
      }
      co_return shared->load();
    };
    spawned<int> first = w.spawn(work(w, order));
    spawned<int> second = w.spawn(work(w, order));
    const int at_end_of_first = co_await first;
    co_await second;
    // Had the first run through, it would have counted 10; with workers it may, before the
    // second is there.
    if (w.threads() == 1) CHECK(at_end_of_first > 10);
    CHECK(*order == 20);
    for (int k = 0; k < 1000; ++k) co_await w.yield();
  });
}

TEST_CASE("a body that polls makes progress without waiting") {
  on_pes([](world& w) -> task<> {
    reply<int> one = w.call(
        next_of(w), [](int a) { return a; }, 7);
    w.flush();
    lamellar::testing::progress_until(
        w, [&] { return one.ready(); }, "a reply");
    CHECK(one.get() == 7);
    co_await w.barrier();
  });
}

TEST_CASE("get in plain handlers nests, as far as it is allowed to") {
  on_pes([](world& w) -> task<> {
    struct nested {
      int operator()(context& at, int left) const {
        if (left == 0) return 0;
        const pe to = at.world().at((at.me().index() + 1) % at.size());
        return 1 + at.world().call(to, nested{}, left - 1).get();
      }
    };
    // Only one PE asks, so that no PE's stack holds more than its share.
    if (w.me().index() == 0) {
      for (const int levels : {1, 2, 10, 60}) {
        CHECK(w.call(next_of(w), nested{}, levels).get() == levels);
      }
    }
    co_await w.quiesce();
  });
}

TEST_CASE("a plain handler that a handler sent may make call after call") {
  on_pes([](world& w) -> task<> {
    struct many {
      void operator()(context& at, std::uint32_t back) const {
        int sum = 0;
        for (int k = 0; k < 200; ++k) {
          sum += at.world()
                     .call(
                         at.world().at(back), [](int a) { return a; }, 1)
                     .get();
        }
        if (sum != 200) throw std::runtime_error("wrong sum");
      }
    };
    const auto start = [](context& at, std::uint32_t on) {
      at.world().send(at.world().at(on), many{}, at.me().index());
    };
    if (w.me().index() == 0) {
      w.send(next_of(w), start, w.me().index());
    }
    co_await w.quiesce();
  });
}

TEST_CASE("collectives are tasks: they may be started early and awaited later") {
  on_pes([](world& w) -> task<> {
    for (int k = 0; k < 50; ++k) {
      task<> first = w.barrier();
      task<> second = w.quiesce();
      task<> third = w.barrier();
      first.start();
      second.start();
      third.start();
      w.send(
          next_of(w), [](int) {}, k);
      co_await third;
      co_await first;
      second.get();
    }
  });
}

TEST_CASE("a task that yields all the time does not keep the body from going on") {
  on_pes([](world& w) -> task<> {
    struct until {
      static task<> set(world& at, const std::atomic<bool>& done) {
        while (!done) co_await at.yield();
      }
    };
    std::atomic<bool> done{false};
    auto busy = w.spawn(until::set(w, done));
    for (int k = 0; k < 10; ++k) co_await w.yield();
    done = true;
    co_await busy;
  });
}
