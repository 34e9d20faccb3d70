// SPDX-License-Identifier: BSD-3-Clause
// PageRank, triangles and core numbers against plain serial programs.
#include <cmath>
#include <cstdint>
#include <lamellar/algorithms/k_core.hpp>
#include <lamellar/algorithms/page_rank.hpp>
#include <lamellar/algorithms/triangle_count.hpp>
#include <numeric>
#include <set>
#include <vector>

#include "graphs.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

/// By the definition, a matrix and all.
std::vector<double> serial_ranks(const adjacency& rows, double damping, unsigned rounds) {
  const auto n = static_cast<double>(rows.size());
  std::vector<double> ranks(rows.size(), 1 / n);
  for (unsigned round = 0; round < rounds; ++round) {
    double stuck = 0;
    for (std::size_t v = 0; v < rows.size(); ++v) stuck += rows[v].empty() ? ranks[v] : 0;
    std::vector<double> next(rows.size(), (1 - damping + damping * stuck) / n);
    for (std::size_t v = 0; v < rows.size(); ++v) {
      for (const auto& each : rows[v]) {
        next[each.to] += damping * ranks[v] / static_cast<double>(rows[v].size());
      }
    }
    ranks = next;
  }
  return ranks;
}

task<> check_ranks(world&, graph_input in, weighted_graph g, adjacency rows) {
  for (const double damping : {0.85, 0.5}) {
    auto ranking = page_rank(g, {.damping = damping, .tolerance = 0, .rounds = 10});
    const page_ranks found = co_await ranking;
    auto reading = everything(found.ranks);
    const std::vector<double> ranks = co_await reading;
    const std::vector<double> expected = serial_ranks(rows, damping, found.rounds);
    CHECK(found.rounds <= 10);
    if (in.name == "rmat 9") CHECK(found.rounds == 10);
    REQUIRE(ranks.size() == expected.size());
    for (std::size_t v = 0; v < ranks.size(); ++v) {
      CHECK(std::abs(ranks[v] - expected[v]) <= 1e-12);
    }
    const double sum = std::accumulate(ranks.begin(), ranks.end(), 0.0);
    if (in.n != 0) CHECK(std::abs(sum - 1) < 1e-9);
  }
  auto ranking = page_rank(g, {.tolerance = 1e-6, .rounds = 1000});
  const page_ranks found = co_await ranking;
  CHECK(found.rounds < 1000);
  CHECK(found.change <= 1e-6);
}

task<> check_triangles(world&, graph_input in, weighted_graph g, adjacency rows) {
  std::vector<std::set<vertex_id>> sets(in.n);
  for (vertex_id v = 0; v < in.n; ++v) {
    for (const auto& each : rows[v]) sets[v].insert(each.to);
  }
  std::uint64_t expected = 0;
  for (vertex_id a = 0; a < in.n; ++a) {
    for (const vertex_id b : sets[a]) {
      if (b <= a) continue;
      for (const vertex_id c : sets[b]) expected += c > b && sets[a].contains(c) ? 1 : 0;
    }
  }
  if (in.name == "cliques") CHECK(expected == 84 + 455);
  auto counting = triangle_count(g);
  CHECK(co_await counting == expected);
}

task<> check_cores(world&, graph_input in, weighted_graph g, adjacency rows) {
  // For each k take away vertices one by one until none is left that has fewer edges.
  std::vector<std::uint64_t> expected(in.n);
  for (std::uint64_t k = 1;; ++k) {
    std::vector<bool> gone(in.n);
    for (bool changed = true; changed;) {
      changed = false;
      for (vertex_id v = 0; v < in.n; ++v) {
        if (gone[v]) continue;
        std::uint64_t degree = 0;
        for (const auto& each : rows[v]) degree += each.to != v && !gone[each.to] ? 1 : 0;
        if (degree < k) gone[v] = changed = true;
      }
    }
    bool any = false;
    for (vertex_id v = 0; v < in.n; ++v) {
      if (!gone[v]) {
        expected[v] = k;
        any = true;
      }
    }
    if (!any) break;
  }
  auto peeling = k_core(g);
  const core_numbers found = co_await peeling;
  auto reading = everything(found.numbers);
  CHECK(co_await reading == expected);
  CHECK(found.largest == (in.n == 0 ? 0 : *std::max_element(expected.begin(), expected.end())));
}

}  // namespace

TEST_CASE("ranks are those of a serial program, and end at the tolerance") {
  on_graphs(false, check_ranks);
  on_graphs(true, check_ranks);
}
TEST_CASE("triangles are those of a serial count") { on_graphs(true, check_triangles); }
TEST_CASE("threads that share loops find the same ranks and triangles") {
  on_large_graph(false, check_ranks);
  on_large_graph(true, check_triangles);
}
TEST_CASE("core numbers are those of taking away one by one") { on_graphs(true, check_cores); }
