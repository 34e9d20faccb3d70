// SPDX-License-Identifier: BSD-3-Clause
// What is predicted of algorithms, held against what simulated jobs count.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <lamellar/algorithms/explain.hpp>
#include <lamellar/algorithms/scan.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/world.hpp>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace lamellar;

namespace {

using u64 = std::uint64_t;
using numbers = unsafe_array<u64>;
using algorithm = std::function<void(world&, const numbers&)>;

constexpr u64 elements = u64{1} << 18;
// So few that a sample of them fits into the buffers under way.
constexpr u64 few_elements = u64{1} << 12;
// Large, so that the clock counts rounds and hardly ever waits for a buffer.
constexpr std::size_t buffer_bytes = std::size_t{1} << 16;

/// What a simulated job counts in which only latency takes time: one unit of it a round.
algorithm_cost run_job(std::uint32_t pes, u64 n, const algorithm& what) {
  constexpr double latency_ns = 1e6;
  lamellae::simulation_result result;
  lamellae::settings s;
  s.lamella = "sim";
  s.pes = pes;
  s.mapped = false;
  s.buffer_bytes = buffer_bytes;
  s.statistics = true;
  s.sim.seed = 0;
  s.sim.pes_per_host = 1;
  s.sim.latency_ns = latency_ns;
  s.sim.byte_ns = 0;
  s.sim.message_ns = 0;
  s.sim.record_ns = 0;
  s.sim.result = &result;
  u64 heap = 0;
  const int code = launch(s, [&](world& w) {
    const numbers a = numbers::create(w, n).get();
    std::mt19937_64 random{w.me().index() + 1U};
    for (u64& each : a.local()) each = random();
    w.quiesce().get();
    if (what) what(w, a);
    if (w.me() == pe(0)) heap = w.statistics().most_heap_bytes;
  });
  CHECK(code == 0);
  return {result.total.messages, result.total.bytes,
          static_cast<u64>(static_cast<double>(result.total.time_ns) / latency_ns + 0.5), heap};
}

/// Of the algorithm alone.
algorithm_cost counted(std::uint32_t pes, u64 n, const algorithm& what) {
  static std::map<std::pair<std::uint32_t, u64>, algorithm_cost> without;
  if (!without.contains({pes, n})) {
    without[{pes, n}] = run_job(pes, n, nullptr);
  }
  const algorithm_cost base = without[{pes, n}];
  const algorithm_cost all = run_job(pes, n, what);
  return {all.messages - base.messages, all.bytes - base.bytes, all.rounds - base.rounds,
          all.memory_bytes - base.memory_bytes};
}

void check_within(double share, u64 predicted, u64 found) {
  CHECK(static_cast<double>(found) <= static_cast<double>(predicted) * (1 + share) + 1);
  CHECK(static_cast<double>(found) >= static_cast<double>(predicted) * (1 - share) - 1);
}

/// How far what is counted may be from what is predicted.
struct margins {
  double sent;
  double rounds;
};

/// Hold together what is predicted and counted at 2 to 256 PEs. Returns the counted rounds, of
/// 2 PEs, 4 PEs and so on.
std::vector<u64> check(const char* name, u64 n, algorithm_cost (*explain)(const job_shape&),
                       const algorithm& what, margins may_differ) {
  std::vector<u64> rounds;
  for (std::uint32_t pes = 2; pes <= 256; pes *= 2) {
    const algorithm_cost predicted = explain({n, 8, pes, buffer_bytes});
    const algorithm_cost found = counted(pes, n, what);
    INFO(std::string{name}, " on ", pes, " PEs: predicted ", text_of(predicted), "; counted ",
         text_of(found));
    check_within(may_differ.sent, predicted.messages, found.messages);
    check_within(may_differ.sent, predicted.bytes, found.bytes);
    check_within(may_differ.rounds, predicted.rounds, found.rounds);
    CHECK(found.memory_bytes <= predicted.memory_bytes);
    rounds.push_back(found.rounds);
  }
  return rounds;
}

/// Twice as many PEs take more rounds, but no more of them than that: so rounds grow as log P.
void check_growth(const std::vector<u64>& rounds, u64 per_doubling) {
  for (std::size_t k = 1; k < rounds.size(); ++k) {
    CHECK(rounds[k] > rounds[k - 1]);
    CHECK(rounds[k] <= rounds[k - 1] + per_doubling);
  }
}

const algorithm scan = [](world&, const numbers& a) { lamellar::inclusive_scan(a, a).get(); };
const algorithm exchange_all = [](world& w, const numbers& a) {
  const auto to = [pes = w.size()](u64 x) {
    return team_position{static_cast<std::uint32_t>(((x >> 32) * pes) >> 32)};
  };
  exchange_placed(w, a.local(), to).get();
};
const algorithm sort_all = [](world&, const numbers& a) { lamellar::sort(a).get(); };

}  // namespace

TEST_CASE("a scan costs what is predicted, and each doubling of the PEs three rounds more") {
  check_growth(check("scan", elements, explain_scan, scan, {0.1, 0}), 3);
}

TEST_CASE("an exchange costs what is predicted, and rounds that grow as log P") {
  check_growth(check("exchange", elements, explain_exchange, exchange_all, {0.15, 0.1}), 3);
}

TEST_CASE("a sort costs what is predicted") {
  check("sort", elements, explain_sort, sort_all, {0.35, 0.25});
}

TEST_CASE("a sort whose sample fits into buffers takes rounds that grow as log P") {
  check_growth(check("sort", few_elements, explain_sort, sort_all, {0.25, 0.25}), 6);
}

TEST_CASE("predicted rounds grow as log P, while buffers have room") {
  for (const auto explain : {explain_scan, explain_exchange, explain_sort}) {
    u64 before = 0;
    for (std::uint32_t pes = 2, depth = 1; pes <= 4096; pes *= 2, ++depth) {
      const u64 now = explain({elements * pes, 8, pes, u64{1} << 40}).rounds;
      CHECK(now > before);
      CHECK(now <= 32 * depth);
      before = now;
    }
  }
}

TEST_CASE("a job counts its own messages") {
  lamellae::settings s;
  s.lamella = "sim";
  s.pes = 4;
  s.mapped = false;
  s.statistics = true;
  const int code = launch(s, [](world& w) {
    const numbers a = numbers::create(w, 1000).get();
    const algorithm_cost found = counted_cost(w, lamellar::inclusive_scan(a, a)).get();
    const algorithm_cost predicted = explain_scan(shape_of(a));
    CHECK(found.messages == predicted.messages);
    check_within(0.1, predicted.bytes, found.bytes);
  });
  CHECK(code == 0);
}

TEST_CASE("one PE sends nothing") {
  for (const auto explain : {explain_scan, explain_exchange, explain_sort}) {
    const algorithm_cost alone = explain({1000, 8, 1});
    CHECK(alone.messages == 0);
    CHECK(alone.bytes == 0);
    CHECK(alone.rounds == 0);
  }
}
