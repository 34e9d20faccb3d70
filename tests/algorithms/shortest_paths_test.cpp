// SPDX-License-Identifier: BSD-3-Clause
// Shortest paths against Dijkstra's algorithm, and topological orders by what they are.
#include <cstdint>
#include <lamellar/algorithms/shortest_paths.hpp>
#include <lamellar/algorithms/topological_sort.hpp>
#include <limits>
#include <queue>
#include <vector>

#include "graphs.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

constexpr std::uint64_t unreached = shortest_path_tree<std::uint64_t>::unreached;

std::vector<std::uint64_t> dijkstra(const adjacency& rows, vertex_id start) {
  std::vector<std::uint64_t> distances(rows.size(), unreached);
  using entry = std::pair<std::uint64_t, vertex_id>;
  std::priority_queue<entry, std::vector<entry>, std::greater<>> waiting;
  distances[start] = 0;
  waiting.push({0, start});
  while (!waiting.empty()) {
    const auto [distance, v] = waiting.top();
    waiting.pop();
    if (distance != distances[v]) continue;
    for (const auto& each : rows[v]) {
      if (distance + each.data < distances[each.to]) {
        distances[each.to] = distance + each.data;
        waiting.push({distances[each.to], each.to});
      }
    }
  }
  return distances;
}

/// Parents lead to the start, each by an edge that makes up the difference.
void check_parents(const adjacency& rows, vertex_id start,
                   const std::vector<std::uint64_t>& distances,
                   const std::vector<vertex_id>& parents) {
  for (vertex_id v = 0; v < rows.size(); ++v) {
    CHECK((parents[v] == no_vertex) == (distances[v] == unreached));
    if (parents[v] == no_vertex) continue;
    if (v != start) {
      const auto& row = rows[parents[v]];
      CHECK(std::any_of(row.begin(), row.end(), [&](const auto& e) {
        return e.to == v && distances[parents[v]] + e.data == distances[v];
      }));
    }
    vertex_id at = v;
    std::size_t steps = 0;
    for (; at != start && steps <= rows.size(); ++steps) at = parents[at];
    CHECK(at == start);
  }
}

task<> check_paths(world&, graph_input in, weighted_graph g, adjacency rows) {
  for (vertex_id start = 0; start < in.n; start += 1 + in.n / 2) {
    CAPTURE(start);
    const std::vector<std::uint64_t> expected = dijkstra(rows, start);
    for (const double delta : {0.0, 1.0, 30.0, std::numeric_limits<double>::infinity()}) {
      CAPTURE(delta);
      auto searching = shortest_paths(g, start, delta);
      const auto tree = co_await searching;
      auto reading = everything(tree.distances);
      const std::vector<std::uint64_t> distances = co_await reading;
      CHECK(distances == expected);
      auto reading_parents = everything(tree.parents);
      check_parents(rows, start, distances, co_await reading_parents);
      CHECK(tree.reached == in.n - static_cast<std::uint64_t>(std::count(
                                       expected.begin(), expected.end(), unreached)));
    }
    // By a weight of the caller's own, in floating point: here exact.
    auto halves = shortest_paths(g, start, 0, [](std::uint32_t w) { return 0.5 * w; });
    const auto tree = co_await halves;
    for (const vertex_id v : g.local_vertices()) {
      const double found = tree.distances.local()[v - g.local_vertices().front()];
      CHECK((expected[v] == unreached ? found == tree.unreached
                                      : found == 0.5 * static_cast<double>(expected[v])));
    }
  }
}

task<> check_order(world&, graph_input in, weighted_graph g, adjacency rows) {
  auto sorting = topological_sort(g);
  const topological_order order = co_await sorting;
  auto reading = everything(order.places);
  const std::vector<std::uint64_t> places = co_await reading;
  // Serially: take away what no edge leads to, again and again.
  std::vector<std::uint64_t> edges_to(in.n);
  for (const auto& each : in.edges) ++edges_to[each.to];
  std::vector<std::uint64_t> expected(in.n, topological_order::nowhere);
  std::vector<vertex_id> layer;
  for (vertex_id v = 0; v < in.n; ++v) {
    if (edges_to[v] == 0) layer.push_back(v);
  }
  std::uint64_t placed = 0;
  std::uint64_t layers = 0;
  while (!layer.empty()) {
    std::vector<vertex_id> next;
    ++layers;
    for (const vertex_id v : layer) {
      expected[v] = placed++;
      for (const auto& each : rows[v]) {
        if (--edges_to[each.to] == 0) next.push_back(each.to);
      }
    }
    std::sort(next.begin(), next.end());
    layer = next;
  }
  CHECK(places == expected);
  CHECK(order.placed == placed);
  CHECK(order.layers == layers);
  CHECK(order.complete() == (placed == in.n));
  if (order.complete()) {
    for (const auto& each : in.edges) CHECK(places[each.from] < places[each.to]);
  }
}

}  // namespace

TEST_CASE("distances are those of Dijkstra, whatever delta, and parents lead to the start") {
  on_graphs(false, check_paths);
  on_graphs(true, check_paths);
}

TEST_CASE("a negative weight is refused on all PEs") {
  on_pes([](world& w) -> task<> {
    auto making = graph<no_data, double>::create(w, 10);
    const auto g = co_await making;
    if (w.me().index() == 0) g.add_edge(3, 4, -0.5);
    co_await g.freeze();
    bool refused = false;
    auto searching = shortest_paths(g, 0);
    try {
      co_await searching;
    } catch (const bad_weight& e) {
      refused = std::string{e.what()}.find("weights of 1 edges") != std::string::npos;
    }
    CHECK(refused);
  });
}

TEST_CASE("a topological order is that of layers") {
  on_graphs(false, check_order);
  on_pes([](world& w) -> task<> {  // edges from larger to smaller numbers, no cycles
    graph_input in{"down", 200, {}};
    std::mt19937_64 random{5};
    for (std::size_t k = 0; k < 600; ++k) {
      const vertex_id a = random() % 200;
      if (a != 0) in.edges.push_back({a, random() % a, 1});
    }
    auto making = make_graph(w, in, false);
    const weighted_graph g = co_await making;
    auto checking = check_order(w, in, g, serial_graph(in, false));
    co_await checking;
    co_await w.barrier();
  });
}
