// SPDX-License-Identifier: BSD-3-Clause
// Handlers that return a message: it runs on the caller, before the reply is complete.
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/on_caller.hpp>
#include <lamellar/substrate/task_group.hpp>
#include <lamellar/substrate/world.hpp>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

/// Messages to a PE may overlap, where it has threads.
struct notes {
  std::vector<std::uint32_t> from;
  std::mutex guards_from;

  void add(std::uint32_t pe) {
    const std::lock_guard hold{guards_from};
    from.push_back(pe);
  }
};

/// Runs on the caller: writes down who returned it.
struct note {
  std::uint32_t operator()(context& at, const darc<notes>& into, std::uint32_t factor) const {
    into->add(at.origin().index());
    return factor * at.me().index();
  }
};
struct return_note {
  auto operator()(const darc<notes>& into, std::uint32_t factor) const {
    return on_caller(note{}, into, factor);
  }
};
struct return_note_later {
  using message = decltype(on_caller(note{}, darc<notes>{}, 0u));
  task<message> operator()(context at, darc<notes> into, std::uint32_t factor) const {
    co_await at.world().yield();
    co_return on_caller(note{}, into, factor);
  }
};

/// Runs on the caller as a coroutine, and asks the PE that returned it.
struct ask_back {
  task<std::string> operator()(context at, std::string text) const {
    auto more = at.world().call(at.origin(), [](context& there) { return there.me().index(); });
    co_return text + std::to_string(co_await more);
  }
};

struct with_members {
  std::string name;
  std::size_t operator()(const std::vector<int>& values) const {
    return name.size() * values.size();
  }
};

}  // namespace

TEST_CASE("a returned message runs on the caller, and the reply is its result") {
  on_pes([](world& w) -> task<> {
    const auto mine = co_await darc<notes>::create(w);
    const pe next = next_of(w);
    const std::uint32_t me = w.me().index();
    CHECK(co_await w.call(next, return_note{}, mine, 3u) == 3 * me);
    CHECK(mine->from == std::vector<std::uint32_t>{next.index()});
    CHECK(w.call(next, return_note{}, mine, 4u).get() == 4 * me);
    CHECK(co_await w.call(next, return_note_later{}, mine, 5u) == 5 * me);
    CHECK(w.call(w.me(), return_note{}, mine, 6u).get() == 6 * me);
    CHECK(mine->from.size() == 4);
    const std::vector<std::uint32_t> all = w.call_all(return_note{}, mine, 2u).get();
    CHECK(all == std::vector<std::uint32_t>(w.size(), 2 * me));
    CHECK(mine->from.size() == 4 + w.size());
  });
}

TEST_CASE("a returned message may be a coroutine, have members, and have no result") {
  on_pes([](world& w) -> task<> {
    const pe next = next_of(w);
    const auto back = [](std::string_view text) { return on_caller(ask_back{}, text); };
    CHECK(co_await w.call(next, back, "PE ") == "PE " + std::to_string(next.index()));
    const auto sized = [](int n) {
      return on_caller(with_members{"four"}, std::vector<int>(10 + n));
    };
    CHECK(w.call(next, sized, 1).get() == 44);
    const auto mine = co_await darc<notes>::create(w);
    const auto silent = [](const darc<notes>& into) {
      return on_caller([](const darc<notes>& here) { here->add(7); }, into);
    };
    co_await w.call(next, silent, mine);
    CHECK(mine->from == std::vector<std::uint32_t>{7});
  });
}

TEST_CASE("many at a time: every reply is that of its own message") {
  on_pes([](world& w) -> task<> {
    const auto twice = [](std::uint32_t k) {
      return on_caller([](std::uint32_t value) { return 2 * value; }, k);
    };
    std::vector<reply<std::uint32_t>> replies;
    for (std::uint32_t k = 0; k < 3000; ++k) {
      replies.push_back(w.call(w.at(k % w.size()), twice, k));
    }
    bool right = true;
    for (std::uint32_t k = 0; k < 3000; ++k) right = right && co_await replies[k] == 2 * k;
    CHECK(right);
  });
}

TEST_CASE("after a send it runs on the sender; wait_all waits for the rest of the call only") {
  on_pes([](world& w) -> task<> {
    const auto mine = co_await darc<notes>::create(w);
    for (int k = 0; k < 100; ++k) w.send(next_of(w), return_note{}, mine, 1u);
    co_await w.quiesce();
    CHECK(mine->from.size() == 100);
    for (int k = 0; k < 100; ++k) (void)w.call(next_of(w), return_note{}, mine, 1u);
    w.wait_all();
    CHECK(mine->from.size() == 200);
    CHECK(mine->from.back() == next_of(w).index());
  });
}

TEST_CASE("what a returned message throws comes out of the reply, with the PE where it ran") {
  on_pes([](world& w) -> task<> {
    const auto fail = [] {
      return on_caller([]() -> int { throw std::runtime_error("not here"); });
    };
    for (const pe to : {w.me(), next_of(w)}) {
      try {
        (void)w.call(to, fail).get();
        CHECK(false);
      } catch (const remote_error& e) {
        CHECK(e.pe() == w.me().index());
        CHECK(std::string{e.what()}.find("not here") != std::string::npos);
      }
    }
    const auto throws_first = [](int k) {
      if (k == 1) throw std::runtime_error("over there");
      return on_caller([](int) { return 1; }, k);
    };
    CHECK(w.call(next_of(w), throws_first, 0).get() == 1);
    CHECK_THROWS_AS(w.call(next_of(w), throws_first, 1).get(), remote_error);
    co_await w.quiesce();
  });
}

TEST_CASE("a caller that looks whom it waits for does not disturb who fills the answer") {
  // With workers one of them fills the slot, and writes there which PE has answered, while the
  // main thread begins to wait: a race, if there is one, that the thread sanitizer sees.
  on_pes([](world& w) -> task<> {
    const auto mine = co_await darc<notes>::create(w);
    const auto give_back = [](notes&, int k) {
      return on_caller(
          [](context& at, int value) { return value + static_cast<int>(at.me().index()); }, k);
    };
    bool right = true;
    for (int k = 0; k < 500; ++k) {
      const auto own = static_cast<int>(w.me().index());
      right = right && mine.call(next_of(w), give_back, k).get() == k + own;
    }
    CHECK(right);
    co_await w.quiesce();
  });
}
