// SPDX-License-Identifier: BSD-3-Clause
//
// bfs: how fast do all PEs search a graph breadth first, as Graph 500 asks? Beside it stands a
// search of the same graph by one thread.

#include <algorithm>
#include <cstdint>
#include <lamellar/algorithms/breadth_first_search.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <utility>
#include <vector>

#include "support/graph_benchmark.hpp"

namespace lamellar::benchmark {
namespace {

constexpr std::uint32_t unreached = breadth_first_tree::unreached;

/// Levels and parents by one thread, which turns round where the frontier is large, too.
class serial_search {
 public:
  explicit serial_search(const edge_rows& rows)
      : rows_{rows}, levels_(rows.vertices()), parents_(rows.vertices()) {}

  const std::vector<std::uint32_t>& levels() const { return levels_; }

  void run(edge_rows::vertex start) {
    std::fill(levels_.begin(), levels_.end(), unreached);
    levels_[start] = 0;
    parents_[start] = start;
    current_.assign(1, start);
    std::size_t left = rows_.edges();
    bool looks = false;
    for (std::uint32_t level = 0; !current_.empty(); ++level) {
      std::size_t edges = 0;
      for (const auto v : current_) edges += rows_.row(v).size();
      left -= edges;
      looks = looks ? current_.size() >= rows_.vertices() / 24 : edges > left / 14;
      next_.clear();
      if (looks) {
        look(level);
      } else {
        tell(level);
      }
      std::swap(current_, next_);
    }
  }

 private:
  void tell(std::uint32_t level) {
    for (const auto v : current_) {
      for (const auto u : rows_.row(v)) {
        if (levels_[u] == unreached) reach(u, v, level + 1);
      }
    }
  }
  void look(std::uint32_t level) {
    for (std::size_t v = 0; v < levels_.size(); ++v) {
      if (levels_[v] != unreached) continue;
      for (const auto u : rows_.row(v)) {
        if (levels_[u] == level) {
          reach(static_cast<edge_rows::vertex>(v), u, level + 1);
          break;
        }
      }
    }
  }
  void reach(edge_rows::vertex v, edge_rows::vertex from, std::uint32_t level) {
    levels_[v] = level;
    parents_[v] = from;
    next_.push_back(v);
  }

  const edge_rows& rows_;
  std::vector<std::uint32_t> levels_;
  std::vector<edge_rows::vertex> parents_;
  std::vector<edge_rows::vertex> current_;
  std::vector<edge_rows::vertex> next_;
};

class searches {
 public:
  searches(world& w, const graph_settings& set)
      : world_{w},
        edges_{set.graph()},
        graph_{graph<>::create(w, edges_.vertices()).get()},
        start_{edges_.at(0).first} {
    auto own = edges_.share(w.me().index(), w.size());
    if (set.common.sabotage) {  // an edge is lost
      const auto [lost, ends] = lonely_edge(edges_);
      start_ = ends.first;
      lose_edge(w, edges_, lost, own);
    }
    for (const auto& [a, b] : own) graph_.add_edge_both(a, b);
    graph_.freeze().get();
    if (w.me() == pe(0)) rows_ = edge_rows{edges_.vertices(), edges_.share(0, 1), true};
  }

  /// PE 0 alone.
  double serially() {
    double seconds = 0;
    world_.barrier().get();
    if (world_.me() == pe(0)) {
      serial_search search{rows_};
      const stopwatch watch;
      search.run(start_);
      seconds = watch.seconds();
      expected_ = search.levels();
    }
    expected_ = broadcast(world_, std::move(expected_)).get();
    return seconds;
  }
  double together() {
    world_.barrier().get();
    const stopwatch watch;
    const breadth_first_tree tree = breadth_first_search(graph_, start_).get();
    const double seconds = watch.seconds();
    traversed_ = tree.edges / 2;
    depth_ = tree.depth;
    right_ = right_ && is_right(tree);
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t traversed() const { return traversed_; }
  std::uint32_t depth() const { return depth_; }

 private:
  /// By Graph 500's rules: levels are those of the serial search, which differ by at most one
  /// along an edge, and each parent is a neighbour one level before.
  bool is_right(const breadth_first_tree& tree) const {
    bool right = true;
    std::size_t k = 0;
    for (const vertex_id v : graph_.local_vertices()) {
      const std::uint32_t level = tree.levels.local()[k];
      const vertex_id parent = tree.parents.local()[k++];
      right = right && level == expected_[v] && (parent == no_vertex) == (level == unreached);
      if (!right || level == unreached || v == start_) continue;
      const auto row = graph_.neighbours(v);
      right = expected_[parent] + 1 == level &&
              std::binary_search(row.begin(), row.end(), graph_neighbour<>{parent},
                                 [](const auto& a, const auto& b) { return a.to < b.to; });
    }
    return right;
  }

  world& world_;
  rmat_graph edges_;
  graph<> graph_;
  edge_rows::vertex start_;
  edge_rows rows_;  // on PE 0
  std::vector<std::uint32_t> expected_;
  std::uint64_t traversed_ = 0;
  std::uint32_t depth_ = 0;
  bool right_ = true;
};

void measure(world& w, const graph_settings& set, report* out) {
  set.check();
  searches work{w, set};
  measure_by_turns(w, set, out, "bfs", "serial_search", work, [&](result& r) {
    r.operations = static_cast<double>(work.traversed());
    r.parameters.emplace_back("levels", static_cast<std::int64_t>(work.depth() + 1));
  });
}

constexpr const char* problem =
    "Breadth-first search of an R-MAT graph of 2^scale vertices and edge-factor times as many\n"
    "edges, both ways, with the probabilities of Graph 500: from an end of its first edge. At\n"
    "the end each PE knows parent and level of each of its vertices.";
constexpr const char* metric =
    "traversed edges per second, all PEs together: edges of the part that was reached, "
    "counted\n"
    "once. The graph is built before. The limit is a search by one thread of PE 0, which "
    "changes\n"
    "its direction too, in 32-bit rows. Levels are compared with its, and each parent must be "
    "a\n"
    "neighbour one level before.";

int main(int argc, char** argv) {
  graph_settings set;
  command_line command("bfs", problem, metric);
  set.add_to(command);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
