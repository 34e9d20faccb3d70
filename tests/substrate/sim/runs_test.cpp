// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/world.hpp>
#include <set>
#include <string>
#include <vector>

#include "../../support/scratch_directory.hpp"

using namespace lamellar;

namespace {

lamellae::settings simulated(std::uint32_t pes, std::uint64_t seed) {
  lamellae::settings s;
  s.lamella = "sim";
  s.pes = pes;
  s.sim.seed = seed;
  return s;
}

struct log_of_origins {
  std::vector<std::uint32_t> order;
};

struct note {
  void operator()(context& at, log_of_origins& mine, darc<log_of_origins> all,
                  std::uint32_t left) const {
    mine.order.push_back(at.origin().index());
    if (left == 0) return;
    for (std::uint32_t k = 1; k <= 2; ++k) {
      const std::uint32_t to = (at.me().index() + k) % at.size();
      all.send(at.world().at(to), note{}, all, left - 1);
    }
  }
};

/// A program with messages that cause messages, calls, spawned tasks and collectives. Returns
/// in which order PE 0 ran its handlers.
std::vector<std::uint32_t> run_program(const lamellae::settings& s) {
  std::vector<std::uint32_t> order;
  const int code = launch(s, [&](world& w) -> task<> {
    const auto all = co_await darc<log_of_origins>::create(w);
    const auto ask = [&w](std::uint64_t n) -> task<std::uint64_t> {
      const pe to = w.at(static_cast<std::uint32_t>(n % w.size()));
      co_return co_await w.call(
          to, [](std::uint64_t k) { return k + 1; }, n);
    };
    std::vector<spawned<std::uint64_t>> asked;
    for (std::uint64_t n = 0; n < 10; ++n) asked.push_back(w.spawn(ask(n)));
    all.send_all(note{}, all, std::uint32_t{4});
    for (std::uint64_t n = 0; n < 10; ++n) CHECK(co_await std::move(asked[n]) == n + 1);
    co_await w.quiesce();
    co_await w.barrier();
    if (w.me().index() == 0) order = all.local().order;
  });
  CHECK(code == 0);
  return order;
}

}  // namespace

TEST_CASE("a program runs under many seeds in one process, in many orders") {
  std::set<std::vector<std::uint32_t>> orders;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    orders.insert(run_program(simulated(3, seed)));
  }
  CHECK(orders.begin()->size() == 3 * 31);
  CHECK(orders.size() > 25);
}

TEST_CASE("the same seed gives the same trace, whatever ran in the process before") {
  const testing::scratch_directory files;
  std::set<std::string> traces;
  for (std::uint64_t seed = 0; seed <= 12; ++seed) {
    lamellae::settings s = simulated(4, seed);
    s.mapped = seed % 2 == 0;
    s.sim.trace = files / "first";
    const auto first = run_program(s);
    run_program(simulated(2, seed + 100));
    s.sim.trace = files / "second";
    CHECK(run_program(s) == first);
    const std::string trace = testing::content_of(files / "first");
    CHECK(trace.size() > 20'000);
    CHECK(trace == testing::content_of(files / "second"));
    traces.insert(trace);
  }
  CHECK(traces.size() == 13);
}

TEST_CASE("what a job has done can be read after it") {
  lamellae::simulation_result result;
  lamellae::settings s = simulated(4, 7);
  s.sim.result = &result;
  s.sim.pes_per_host = 2;
  run_program(s);
  CHECK(result.seed == 7);
  CHECK(result.pes.size() == 4);
  CHECK(result.total.messages > 20);
  CHECK(result.total.network_messages < result.total.messages);
  CHECK(result.total.bytes > result.total.messages * 16);
  // 4 x 4 x 31 notes and 40 calls.
  CHECK(result.total.records >= 496 + 40);
  CHECK(result.waves >= 3);
  std::uint64_t messages = 0;
  for (const auto& pe : result.pes) messages += pe.messages;
  CHECK(messages == result.total.messages);
}

TEST_CASE(
    "a program's clock is virtual: waiting for it takes no time, and it tells the costs") {
  lamellae::settings s = simulated(2, 0);
  s.sim.pes_per_host = 1;
  s.sim.latency_ns = 5e8;  // half a second
  s.hang_s = 0;
  std::uint64_t took = 0;
  launch(s, [&](world& w) -> task<> {
    co_await w.barrier();
    const std::uint64_t start = w.now_ns();
    if (w.me().index() == 0) {
      co_await w.call(w.at(1), [] { return 0; });
      took = w.now_ns() - start;
    }
  });
  CHECK(took >= 1'000'000'000);
  CHECK(took < 1'100'000'000);
}

TEST_CASE("one PE is a job too") { CHECK(run_program(simulated(1, 1)).size() == 31); }
