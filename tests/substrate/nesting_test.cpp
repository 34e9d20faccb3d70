// SPDX-License-Identifier: BSD-3-Clause
// Handlers that call handlers, to any depth, on any number of PEs and threads; and callables
// that stay on their PE.
#include <atomic>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::work_divisor;

namespace {

pe after(const context& at) { return pe{(at.me().index() + 1) % at.size()}; }

/// Round and round, until `left` is 0; the way back is as long.
struct ring {
  task<std::uint64_t> operator()(context at, std::uint32_t left) const {
    if (left == 0) co_return at.me().index();
    auto next = at.world().call(after(at), ring{}, left - 1);
    co_return at.me().index() + co_await next;
  }
};

/// Two calls at each level, to this PE and to the next.
struct tree {
  task<std::uint64_t> operator()(context at, std::uint32_t depth) const {
    if (depth == 0) co_return 1;
    auto left = at.world().call(after(at), tree{}, depth - 1);
    auto right = at.world().call(at.me(), tree{}, depth - 1);
    const std::uint64_t one = co_await left;
    co_return one + co_await right;
  }
};

/// The same on the stack: a plain handler that blocks.
struct stack {
  std::uint32_t operator()(context& at, std::uint32_t depth) const {
    return depth == 0 ? 0 : 1 + at.world().call(after(at), stack{}, depth - 1).get();
  }
};

}  // namespace

TEST_CASE("a ring of handlers that await each other, many times around all PEs") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t rounds = 1000 / static_cast<std::uint32_t>(work_divisor);
    const std::uint32_t steps = rounds * w.size();
    const std::uint64_t numbers = std::uint64_t{w.size()} * (w.size() - 1) / 2;
    CHECK(co_await w.call(w.me(), ring{}, steps) == numbers * rounds + w.me().index());
  });
}

TEST_CASE("binary recursion from all PEs at once, twelve deep") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t depth = work_divisor == 1 ? 12 : 8;
    CHECK(co_await w.call(next_of(w), tree{}, depth) == std::uint64_t{1} << depth);
    co_await w.quiesce();
  });
}

TEST_CASE("plain handlers that block inside each other, as deep as is allowed") {
  on_pes([](world& w) -> task<> {
    // One PE at a time: what another one asks meanwhile would lie on the same stacks.
    for (std::uint32_t turn = 0; turn < w.size(); ++turn) {
      if (turn == w.me().index()) CHECK(w.call(next_of(w), stack{}, 60u).get() == 60);
      co_await w.barrier();
    }
  });
}

TEST_CASE("run_here takes what cannot travel, and runs it beside the body") {
  on_pes([](world& w) -> task<> {
    std::vector<int> values(1000);
    std::iota(values.begin(), values.end(), 0);
    auto owned = std::make_unique<int>(7);
    int* const pointer = values.data();
    std::atomic<bool> ran{false};
    auto sum = w.run_here(
        [&ran, pointer](std::unique_ptr<int> factor, std::size_t n) {
          ran = true;
          return *factor * std::accumulate(pointer, pointer + n, 0);
        },
        std::move(owned), values.size());
    if (w.threads() == 1) CHECK(!ran);
    CHECK(co_await sum == 7 * 499500);

    const auto where = [](context& at) { return at.me().index() + at.size(); };
    auto here = w.run_here(where);
    CHECK(co_await here == w.me().index() + w.size());
    const auto waits = [](context at, int* into) -> task<int> {
      co_await at.world().yield();
      co_return ++*into;
    };
    auto later = w.run_here(waits, pointer);
    CHECK(later.get() == 1);

    std::atomic<int> count{0};
    for (int k = 0; k < 100; ++k) (void)w.run_here([&count] { ++count; });
    w.wait_all();
    CHECK(count == 100);
    (void)w.run_here([] { throw std::runtime_error("here"); });
    CHECK_THROWS_AS(w.wait_all(), remote_error);
    co_await w.quiesce();
  });
}
