// SPDX-License-Identifier: BSD-3-Clause
// Handlers that are coroutines: they await replies, to any depth, and outlive their message.
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/when_all.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

pe after(const context& at) { return at.world().at((at.me().index() + 1) % at.size()); }

struct depth {
  task<int> operator()(context at, int left) const {
    if (left == 0) co_return 0;
    co_return 1 + co_await at.world().call(after(at), depth{}, left - 1);
  }
};

struct fibonacci {
  task<std::uint64_t> operator()(context at, int n) const {
    if (n < 2) co_return static_cast<std::uint64_t>(n);
    auto first = at.world().call(after(at), fibonacci{}, n - 1);
    const std::uint64_t second = co_await at.world().call(at.me(), fibonacci{}, n - 2);
    co_return second + co_await first;
  }
};

struct cell {
  std::uint64_t value = 0;
  std::string text;
};

/// The message's members must live as long as the coroutine uses them.
struct with_members {
  std::string text;
  std::vector<int> numbers;
  task<std::string> operator()(context at, std::string more) const {
    for (int k = 0; k < 5; ++k) co_await at.world().call(after(at), [] {});
    co_return text + more + std::to_string(numbers.size());
  }
};

struct bump_later {
  task<> operator()(context at, darc<cell> cells, std::uint64_t amount) const {
    co_await at.world().call(after(at), [] {});
    cells.send(
        at.me(), [](cell& c, std::uint64_t by) { c.value += by; }, amount);
  }
};

struct read_later {
  task<std::uint64_t> operator()(context at, darc<cell> cells) const {
    co_await at.world().yield();
    co_return co_await cells.call(at.me(), [](cell& c) { return c.value; });
  }
};

}  // namespace

TEST_CASE("a chain of calls across PEs, a thousand deep") {
  on_pes([](world& w) -> task<> {
    CHECK(co_await w.call(next_of(w), depth{}, 0) == 0);
    CHECK(co_await w.call(next_of(w), depth{}, 1) == 1);
    CHECK(co_await w.call(next_of(w), depth{}, 1000) == 1000);
    CHECK(w.call(w.me(), depth{}, 1000).get() == 1000);
  });
}

TEST_CASE("a tree of calls across PEs") {
  on_pes([](world& w) -> task<> {
    CHECK(co_await w.call(next_of(w), fibonacci{}, 15) == 610);
    const auto all = co_await w.call_all(fibonacci{}, 10);
    CHECK(all == std::vector<std::uint64_t>(w.size(), 55));
  });
}

TEST_CASE("a coroutine handler may end without having waited") {
  on_pes([](world& w) -> task<> {
    const auto at_once = [](int a) -> task<int> { co_return a + 1; };
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      CHECK(co_await w.call(w.at(to), at_once, 41) == 42);
    }
    const auto nothing = [](context) -> task<> { co_return; };
    co_await w.call(next_of(w), nothing);
    w.send_all(nothing);
    w.wait_all();
  });
}

TEST_CASE("members of an awaiting message live to its end") {
  on_pes([](world& w) -> task<> {
    std::vector<reply<std::string>> replies;
    for (int k = 0; k < 50; ++k) {
      const with_members message{std::string(100, static_cast<char>('a' + k % 26)),
                                 std::vector<int>(static_cast<std::size_t>(k))};
      replies.push_back(w.call(next_of(w), message, std::string(50, '-')));
    }
    for (int k = 0; k < 50; ++k) {
      const std::string expected = std::string(100, static_cast<char>('a' + k % 26)) +
                                   std::string(50, '-') + std::to_string(k);
      CHECK(co_await replies[static_cast<std::size_t>(k)] == expected);
    }
  });
}

TEST_CASE("a coroutine handler of an object takes its handle and keeps it") {
  on_pes([](world& w) -> task<> {
    auto cells = co_await darc<cell>::create(w);
    for (std::uint64_t k = 1; k <= 100; ++k) {
      cells.send(w.at(static_cast<std::uint32_t>(k) % w.size()), bump_later{}, k);
    }
    co_await w.quiesce();
    std::uint64_t all = 0;
    for (const std::uint64_t one : co_await cells.call_all(read_later{})) all += one;
    CHECK(all == 5050 * w.size());
  });
}

TEST_CASE("thousands of coroutine handlers wait at once") {
  on_pes([](world& w) -> task<> {
    const auto ask_back = [](context at, int a) -> task<int> {
      co_return a + co_await at.world().call(
                        at.origin(), [](int b) { return b; }, 1);
    };
    std::vector<reply<int>> replies;
    for (int k = 0; k < 5000; ++k) {
      replies.push_back(w.call(w.at(static_cast<std::uint32_t>(k) % w.size()), ask_back, k));
    }
    bool right = true;
    for (int k = 0; k < 5000; ++k) {
      right = right && co_await replies[static_cast<std::size_t>(k)] == k + 1;
    }
    CHECK(right);
  });
}

TEST_CASE("a coroutine handler's own tasks and when_all") {
  on_pes([](world& w) -> task<> {
    struct gather {
      static task<int> one(context at, int a) {
        co_return co_await at.world().call(
            after(at), [](int b) { return 2 * b; }, a);
      }
      task<int> operator()(context at, int a) const {
        auto [x, y, z] = co_await when_all(one(at, a), one(at, a + 1),
                                           at.world().call(
                                               at.me(), [](int b) { return b; }, a));
        co_return x + y + z;
      }
    };
    for (int a = 0; a < 20; ++a) CHECK(co_await w.call(next_of(w), gather{}, a) == 5 * a + 2);
  });
}
