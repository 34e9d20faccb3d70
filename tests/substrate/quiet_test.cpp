// SPDX-License-Identifier: BSD-3-Clause
// A quiesce or wait_all must not return while a worker still holds what a handler or a task has
// sent. Many short rounds: the moment is a short one.
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

constexpr int rounds = 2000;

/// Counts, and passes itself on until `left` is 0.
struct hop {
  void operator()(context& at, const darc<std::uint64_t>& hops, std::uint32_t left) const {
    ++hops.local();
    if (left != 0) {
      hops.send(testing::next_of(at.world()), hop{}, left - 1);
    }
  }
};

}  // namespace

TEST_CASE("a quiesce waits for chains of handlers that run on workers") {
  on_pes([](world& w) -> task<> {
    const auto hops = co_await darc<std::uint64_t>::create(w, 0u);
    const std::uint32_t length = 8 * w.size();  // whole turns: every PE is visited equally
    std::uint64_t wrong = 0;
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      hops.send(w.me(), hop{}, length - 1);
      co_await w.quiesce();
      wrong += hops.local() != round * length ? 1 : 0;
      co_await w.barrier();
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("wait_all waits for what a spawned task has sent") {
  on_pes([](world& w) -> task<> {
    const auto hops = co_await darc<std::uint64_t>::create(w, 0u);
    const auto send_one = [](darc<std::uint64_t> to, pe where) -> task<> {
      to.send(where, hop{}, 0u);
      co_return;
    };
    std::uint64_t wrong = 0;
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      for (int k = 0; k < 4; ++k) {
        w.spawn(send_one(hops, w.me()));
      }
      w.wait_all();
      hops.exclusive([&](const std::uint64_t& count) { wrong += count != 4 * round ? 1 : 0; });
    }
    CHECK(wrong == 0);
    co_await w.quiesce();
  });
}
