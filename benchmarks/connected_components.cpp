// SPDX-License-Identifier: BSD-3-Clause
//
// connected_components: how fast do all PEs find the connected components of a graph? Beside
// it stands a union-find of the whole graph by one thread.

#include <cstdint>
#include <lamellar/algorithms/connected_components.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <utility>
#include <vector>

#include "support/graph_benchmark.hpp"
#include "support/serial_components.hpp"

namespace lamellar::benchmark {
namespace {

class components {
 public:
  components(world& w, const graph_settings& set)
      : world_{w}, edges_{set.graph()}, graph_{graph<>::create(w, edges_.vertices()).get()} {
    auto own = edges_.share(w.me().index(), w.size());
    if (set.common.sabotage) lose_edge(w, edges_, lonely_edge(edges_).first, own);
    for (const auto& [a, b] : own) graph_.add_edge_both(a, b);
    graph_.freeze().get();
    if (w.me() == pe(0)) all_ = edges_.share(0, 1);
  }

  double serially() {
    const double seconds = seconds_on_first(
        world_, [&] { expected_ = serial_components(edges_.vertices(), all_); });
    expected_ = broadcast(world_, std::move(expected_)).get();
    return seconds;
  }
  double together() {
    graph_components found;
    const double seconds =
        seconds_together(world_, [&] { found = connected_components(graph_).get(); });
    std::size_t k = 0;
    for (const vertex_id v : graph_.local_vertices()) {
      right_ = right_ && found.labels.local()[k++] == expected_[v];
    }
    count_ = found.count;
    std::uint64_t least = 0;  // vertices of their components
    for (std::size_t v = 0; v < expected_.size(); ++v) least += expected_[v] == v;
    right_ = right_ && count_ == least;
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t edges() const { return edges_.edges(); }
  std::uint64_t count() const { return count_; }

 private:
  world& world_;
  rmat_graph edges_;
  graph<> graph_;
  std::vector<rmat_graph::edge> all_;  // on PE 0
  std::vector<rmat_graph::vertex> expected_;
  std::uint64_t count_ = 0;
  bool right_ = true;
};

void measure(world& w, const graph_settings& set, report* out) {
  set.check();
  components work{w, set};
  measure_by_turns(
      w, set, out, "connected_components", "serial_union_find", work, [&](result& r) {
        r.operations = static_cast<double>(work.edges());
        r.parameters.emplace_back("components", static_cast<std::int64_t>(work.count()));
      });
}

constexpr const char* problem =
    "The connected components of an R-MAT graph of 2^scale vertices and edge-factor times as\n"
    "many edges, both ways, with the probabilities of Graph 500. At the end each PE knows the\n"
    "least vertex of the component of each of its vertices, and how many components there "
    "are.";
constexpr const char* metric =
    "edges per second, all PEs together, each counted once. The graph is built before. The\n"
    "limit is a union-find of a list of all edges by one thread of PE 0. Answers are compared\n"
    "with its, vertex by vertex.";

int main(int argc, char** argv) {
  graph_settings set;
  command_line command("connected_components", problem, metric);
  set.add_to(command);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
