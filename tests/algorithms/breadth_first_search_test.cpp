// SPDX-License-Identifier: BSD-3-Clause
// Breadth-first search and connected components against serial ones, and by Graph500's rules.
#include <cstdint>
#include <deque>
#include <lamellar/algorithms/breadth_first_search.hpp>
#include <lamellar/algorithms/connected_components.hpp>
#include <numeric>
#include <set>
#include <vector>

#include "graphs.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

constexpr std::uint32_t unreached = breadth_first_tree::unreached;

std::vector<std::uint32_t> serial_levels(const adjacency& rows, vertex_id start) {
  std::vector<std::uint32_t> levels(rows.size(), unreached);
  std::deque<vertex_id> waiting{start};
  levels[start] = 0;
  while (!waiting.empty()) {
    const vertex_id v = waiting.front();
    waiting.pop_front();
    for (const auto& each : rows[v]) {
      if (levels[each.to] == unreached) {
        levels[each.to] = levels[v] + 1;
        waiting.push_back(each.to);
      }
    }
  }
  return levels;
}

/// Graph500's five rules, for edges that may lie one way only.
void validate(const adjacency& rows, vertex_id start, const std::vector<vertex_id>& parents,
              const std::vector<std::uint32_t>& levels) {
  REQUIRE(parents.size() == rows.size());
  REQUIRE(levels.size() == rows.size());
  CHECK(parents[start] == start);
  CHECK(levels[start] == 0);
  for (vertex_id v = 0; v < rows.size(); ++v) {
    // The tree and the component have the same vertices, each a level below its parent: so
    // there is no cycle.
    CHECK((parents[v] == no_vertex) == (levels[v] == unreached));
    if (v != start && parents[v] != no_vertex) {
      CHECK(levels[v] == levels[parents[v]] + 1);
      // Tree edges are edges of the graph.
      const auto& row = rows[parents[v]];
      CHECK(std::any_of(row.begin(), row.end(), [v](const auto& e) { return e.to == v; }));
    }
    // Edges lead no more than a level down, and to what was reached.
    for (const auto& each : rows[v]) {
      if (levels[v] != unreached) {
        CHECK(levels[each.to] <= levels[v] + 1);
        // The parent is the least there is.
        if (levels[each.to] == levels[v] + 1) CHECK(parents[each.to] <= v);
      }
    }
  }
}

task<> check_search(world&, graph_input in, weighted_graph g, adjacency rows) {
  for (vertex_id start = 0; start < in.n; start += 1 + in.n / 3) {
    CAPTURE(start);
    auto searching = breadth_first_search(g, start);
    const breadth_first_tree tree = co_await searching;
    auto reading = everything(tree.parents);
    const std::vector<vertex_id> parents = co_await reading;
    auto reading_levels = everything(tree.levels);
    const std::vector<std::uint32_t> levels = co_await reading_levels;
    validate(rows, start, parents, levels);
    CHECK(levels == serial_levels(rows, start));
    std::uint64_t reached = 0;
    std::uint64_t edges = 0;
    std::uint32_t depth = 0;
    for (vertex_id v = 0; v < in.n; ++v) {
      if (levels[v] == unreached) continue;
      ++reached;
      edges += rows[v].size();
      depth = std::max(depth, levels[v]);
    }
    CHECK(tree.reached == reached);
    CHECK(tree.edges == edges);
    CHECK(tree.depth == depth);
  }
}

task<> check_components(world&, graph_input in, weighted_graph g, adjacency) {
  auto finding = connected_components(g);
  const graph_components found = co_await finding;
  auto reading = everything(found.labels);
  const std::vector<vertex_id> labels = co_await reading;
  std::vector<vertex_id> expected(in.n);
  std::iota(expected.begin(), expected.end(), vertex_id{0});
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [a, b, data] : in.edges) {
      const vertex_id least = std::min(expected[a], expected[b]);
      changed = changed || expected[a] != least || expected[b] != least;
      expected[a] = expected[b] = least;
    }
  }
  CHECK(labels == expected);
  CHECK(found.count == std::set<vertex_id>(expected.begin(), expected.end()).size());
}

}  // namespace

TEST_CASE("a breadth-first tree is one, where edges lie one way") {
  on_graphs(false, check_search);
}
TEST_CASE("a breadth-first tree is one, where edges lie both ways") {
  on_graphs(true, check_search);
}
TEST_CASE("threads that share loops find the same tree") { on_large_graph(true, check_search); }
TEST_CASE("components are those of a serial search, whichever way edges go") {
  on_graphs(false, check_components);
  on_graphs(true, check_components);
}
