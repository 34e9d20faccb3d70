// SPDX-License-Identifier: BSD-3-Clause
// Handlers that throw: who hears of it, when, and what is said.
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

struct fails {
  int operator()(int what) const {
    if (what < 0) throw std::runtime_error("negative " + std::to_string(what));
    return what;
  }
};
struct fails_oddly {
  void operator()() const { throw 42; }
};
struct fails_before {
  task<int> operator()(context, int a) const {
    if (a >= 0) throw std::runtime_error("before");
    co_return a;
  }
};
struct fails_after {
  task<int> operator()(context at, int rounds) const {
    for (int k = 0; k < rounds; ++k) {
      co_await at.world().call(at.world().at((at.me().index() + 1) % at.size()), [] {});
    }
    throw std::runtime_error("after");
  }
};
struct fails_in_bulk {
  void operator()(std::uint64_t& sum, std::span<const int> values) const {
    sum += values.size();
    throw std::runtime_error("in bulk");
  }
};

template <class Wait>
std::optional<remote_error> caught(Wait wait) {
  try {
    wait();
  } catch (const remote_error& e) {
    return e;
  }
  return {};
}

bool says(const remote_error& e, const std::string& text) {
  return std::string{e.what()}.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("what a called handler throws comes out of get and co_await") {
  on_pes([](world& w) -> task<> {
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      auto bad = w.call(w.at(to), fails{}, -5);
      auto good = w.call(w.at(to), fails{}, 5);
      const auto e = caught([&] { (void)bad.get(); });
      REQUIRE(e);
      CHECK(e->pe() == to);
      CHECK(e->count() == 1);
      CHECK(e->handler().find("fails") != std::string::npos);
      CHECK(says(*e, "negative -5"));
      CHECK(says(*e, "PE " + std::to_string(to)));
      CHECK(good.get() == 5);
      bool thrown = false;
      try {
        co_await w.call(w.at(to), fails{}, -6);
      } catch (const remote_error& again) {
        thrown = says(again, "negative -6");
      }
      CHECK(thrown);
    }
    w.wait_all();  // these were told to whoever asked: not again
    co_await w.quiesce();
  });
}

TEST_CASE("many calls, every third of which throws") {
  on_pes([](world& w) {
    std::vector<reply<int>> replies;
    for (int k = 0; k < 600; ++k) {
      replies.push_back(w.call(w.at(static_cast<std::uint32_t>(k) % w.size()), fails{},
                               k % 3 == 0 ? -k - 1 : k));
    }
    for (int k = 0; k < 600; ++k) {
      reply<int>& one = replies[static_cast<std::size_t>(k)];
      if (k % 3 == 0) {
        const auto e = caught([&] { (void)one.get(); });
        REQUIRE(e);
        CHECK(says(*e, "negative " + std::to_string(-k - 1)));
      } else {
        CHECK(one.get() == k);
      }
    }
  });
}

TEST_CASE("what a sent handler throws comes out of the sender's wait_all, with the count") {
  on_pes([](world& w) -> task<> {
    for (const int failures : {1, 2, 5000}) {
      const pe to = next_of(w);
      for (int k = 0; k < failures; ++k) w.send(to, fails{}, -7);
      for (int k = 0; k < 100; ++k) w.send(to, fails{}, 7);
      const auto e = caught([&] { w.wait_all(); });
      REQUIRE(e);
      CHECK(e->pe() == to.index());
      CHECK(e->count() == static_cast<std::uint64_t>(failures));
      CHECK(e->handler().find("fails") != std::string::npos);
      CHECK(says(*e, "negative -7"));
      w.wait_all();  // once only
      co_await w.barrier();
    }
    co_await w.quiesce();
  });
}

TEST_CASE("a message to the PE itself throws there") {
  on_pes([](world& w) {
    w.send(w.me(), fails{}, -1);
    const auto e = caught([&] { w.wait_all(); });
    REQUIRE(e);
    CHECK(e->pe() == w.me().index());
    CHECK(caught([&] { (void)w.call(w.me(), fails{}, -1).get(); }));
  });
}

TEST_CASE("quiesce completes everywhere, then throws the first failure on every PE") {
  on_pes([](world& w) -> task<> {
    auto sums = co_await darc<std::uint64_t>::create(w, std::uint64_t{0});
    const auto add = [](std::uint64_t& sum) { ++sum; };
    for (int round = 0; round < 20; ++round) {
      const bool mine = static_cast<std::uint32_t>(round) % w.size() == w.me().index();
      for (int k = 0; k < 10; ++k) sums.send_all(add);
      if (mine) {
        for (int k = 0; k < 3; ++k) w.send(next_of(w), fails{}, -3);
      }
      const auto e = caught([&] { w.quiesce().get(); });
      REQUIRE(e);
      CHECK(e->count() == 3);
      CHECK(e->pe() == (static_cast<std::uint32_t>(round) + 1) % w.size());
      CHECK(says(*e, "negative -3"));
      CHECK(*sums == 10 * static_cast<std::uint64_t>(round + 1) * w.size());
      co_await w.quiesce();  // once only
    }
    // All fail at once.
    w.send_all(fails{}, -9);
    const auto e = caught([&] { w.quiesce().get(); });
    REQUIRE(e);
    CHECK(e->count() == w.size() * w.size());
  });
}

TEST_CASE("what is not a std::exception is reported too") {
  on_pes([](world& w) {
    const auto e = caught([&] { w.call(next_of(w), fails_oddly{}).get(); });
    REQUIRE(e);
    CHECK(says(*e, "not a std::exception"));
    w.send(next_of(w), fails_oddly{});
    CHECK(caught([&] { w.wait_all(); }));
  });
}

TEST_CASE("coroutine handlers that throw, before and after they suspend") {
  on_pes([](world& w) -> task<> {
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      CHECK(caught([&] { (void)w.call(w.at(to), fails_before{}, 1).get(); })->pe() == to);
      CHECK(co_await w.call(w.at(to), fails_before{}, -1) == -1);
      for (const int rounds : {0, 1, 5}) {
        const auto e = caught([&] { (void)w.call(w.at(to), fails_after{}, rounds).get(); });
        REQUIRE(e);
        CHECK(e->pe() == to);
        CHECK(says(*e, "after"));
        CHECK(e->handler().find("fails_after") != std::string::npos);
      }
      for (int k = 0; k < 20; ++k) w.send(w.at(to), fails_after{}, k % 4);
      w.send(w.at(to), fails_before{}, 1);
      const auto e = caught([&] { w.wait_all(); });
      REQUIRE(e);
      CHECK(e->count() == 21);
      CHECK(e->pe() == to);
    }
    co_await w.quiesce();
  });
}

TEST_CASE("a failed run of a span handler counts and says what was thrown") {
  on_pes([](world& w) -> task<> {
    auto sums = co_await darc<std::uint64_t>::create(w, std::uint64_t{0});
    for (int k = 0; k < 100; ++k) sums.send(next_of(w), fails_in_bulk{}, k);
    const auto e = caught([&] { w.wait_all(); });
    REQUIRE(e);
    CHECK(e->count() >= 1);
    CHECK(e->count() <= 100);
    CHECK(says(*e, "in bulk"));
    std::vector<reply<>> replies;
    for (int k = 0; k < 10; ++k) replies.push_back(sums.call(next_of(w), fails_in_bulk{}, k));
    for (reply<>& one : replies) CHECK(caught([&] { one.get(); }));
    co_await w.quiesce();
    CHECK(*sums == 110);
  });
}

TEST_CASE("a spawned task that nobody awaits tells wait_all what it threw") {
  on_pes([](world& w) -> task<> {
    const auto work = [](world& of, int rounds) -> task<> {
      for (int k = 0; k < rounds; ++k) co_await of.yield();
      throw std::runtime_error("nobody listens");
    };
    for (const int rounds : {0, 3}) {
      (void)w.spawn(work(w, rounds));
      const auto e = caught([&] { w.wait_all(); });
      REQUIRE(e);
      CHECK(says(*e, "nobody listens"));
      (void)w.spawn(work(w, rounds));
      CHECK(caught([&] { w.quiesce().get(); }));
    }
    co_await w.barrier();
  });
}

TEST_CASE("an object's handler that throws lets the next one run") {
  on_pes([](world& w) -> task<> {
    auto sums = co_await darc<std::uint64_t>::create(w, std::uint64_t{0});
    for (int k = 0; k < 50; ++k) {
      sums.send(next_of(w), [](std::uint64_t& sum) {
        ++sum;
        throw std::runtime_error("after adding");
      });
      sums.send(next_of(w), [](std::uint64_t& sum) { ++sum; });
    }
    const auto e = caught([&] { w.wait_all(); });
    REQUIRE(e);
    CHECK(e->count() == 50);
    co_await w.quiesce();
    CHECK(*sums == 100);
  });
}

TEST_CASE("a long text is cut, not lost") {
  on_pes([](world& w) {
    const auto shout = [](int n) {
      throw std::runtime_error(std::string(static_cast<std::size_t>(n), 'A'));
    };
    const auto e = caught([&] { w.call(next_of(w), shout, 20000).get(); });
    REQUIRE(e);
    CHECK(says(*e, std::string(500, 'A')));
    w.send(next_of(w), shout, 20000);
    const auto sent = caught([&] { w.wait_all(); });
    REQUIRE(sent);
    CHECK(says(*sent, std::string(500, 'A')));
  });
}
