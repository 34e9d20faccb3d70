// SPDX-License-Identifier: BSD-3-Clause
//
// sssp: how fast do all PEs find the shortest paths from one vertex of a graph to all others?
// Beside it stands Dijkstra's algorithm by one thread.

#include <cstdint>
#include <functional>
#include <lamellar/algorithms/shortest_paths.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <limits>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "support/matrix_benchmark.hpp"

namespace lamellar::benchmark {
namespace {

struct settings : matrix_settings {
  std::vector<std::string> methods{"delta_stepping", "bellman_ford"};
  double delta = 0;
};

constexpr double unreached = shortest_path_tree<double>::unreached;
constexpr std::uint32_t start = 0;

std::vector<double> dijkstra(const plain_matrix& edges) {
  using entry = std::pair<double, std::uint32_t>;
  std::vector<double> distances(edges.rows(), unreached);
  std::priority_queue<entry, std::vector<entry>, std::greater<>> nearest;
  distances[start] = 0;
  nearest.emplace(0, start);
  while (!nearest.empty()) {
    const auto [distance, v] = nearest.top();
    nearest.pop();
    if (distance > distances[v]) continue;
    const auto ends = edges.row(v);
    const auto lengths = edges.values_of(v);
    for (std::size_t k = 0; k < ends.size(); ++k) {
      if (distance + lengths[k] < distances[ends[k]]) {
        distances[ends[k]] = distance + lengths[k];
        nearest.emplace(distances[ends[k]], ends[k]);
      }
    }
  }
  return distances;
}

class searches {
 public:
  searches(world& w, const settings& set)
      : world_{w}, flat_{set.matrix(w)}, graph_{weighted_graph::create(w, flat_.size()).get()} {
    for (const vertex_id v : graph_.local_vertices()) {
      const double longer = set.common.sabotage && v == start ? 2 : 1;
      flat_.for_row(
          v, [&](std::uint64_t to) { graph_.add_edge(v, to, longer * flat_.value_at(v, to)); });
    }
    graph_.freeze().get();
    if (w.me() == pe(0)) alone_ = plain_matrix{flat_};
  }

  /// From now on.
  void use_delta(double delta) { delta_ = delta; }

  double serially() {
    const double seconds = seconds_on_first(world_, [&] { expected_ = dijkstra(alone_); });
    expected_ = broadcast(world_, std::move(expected_)).get();
    return seconds;
  }
  double together() {
    shortest_path_tree<double> found;
    const double seconds =
        seconds_together(world_, [&] { found = shortest_paths(graph_, start, delta_).get(); });
    rounds_ = found.rounds;
    reached_ = found.reached;
    std::size_t k = 0;
    for (const vertex_id v : graph_.local_vertices()) {
      const double distance = found.distances.local()[k];
      const vertex_id parent = found.parents.local()[k++];
      right_ = right_ && distance == expected_[v];
      if (distance == unreached || v == start) continue;
      right_ = right_ && expected_[parent] + flat_.value_at(parent, v) == distance;
    }
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t edges() const { return graph_.edges(); }
  std::uint64_t rounds() const { return rounds_; }
  std::uint64_t reached() const { return reached_; }

 private:
  using weighted_graph = graph<no_data, double>;

  world& world_;
  flat_matrix flat_;
  weighted_graph graph_;
  plain_matrix alone_;  // on PE 0
  std::vector<double> expected_;
  double delta_ = 0;
  std::uint64_t rounds_ = 0;
  std::uint64_t reached_ = 0;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  set.check(w);
  searches work{w, set};
  for (const std::string& method : set.methods) {
    const bool all_at_once = method == "bellman_ford";
    work.use_delta(all_at_once ? std::numeric_limits<double>::infinity() : set.delta);
    measure_turns(w, set.common, out, "sssp/" + method, "serial_dijkstra", work,
                  [&](result& r) {
                    r.operations = static_cast<double>(work.edges());
                    r.unit = "edges/s";
                    r.parameters = {{"rows", static_cast<std::int64_t>(set.rows)},
                                    {"per_row", static_cast<std::int64_t>(set.per_row)},
                                    {"reached", static_cast<std::int64_t>(work.reached())},
                                    {"rounds", static_cast<std::int64_t>(work.rounds())},
                                    {"bale_seconds", r.seconds.median}};
                  });
  }
}

constexpr const char* problem =
    "bale's sssp: the shortest paths from the first vertex of a graph in which all edges are\n"
    "equally likely, with lengths above 0 and up to 1, to all others. Row `delta_stepping`:\n"
    "nearer vertices first; `bellman_ford`: all that have got nearer at once.";
constexpr const char* metric =
    "edges of the graph per second, all PEs together; bale_seconds is what bale prints. The\n"
    "graph is built before. The limit is Dijkstra's algorithm with a binary heap by one "
    "thread\n"
    "of PE 0, in 32-bit rows. Distances are compared with its, and each parent must be at the\n"
    "other end of an edge of the right length.";

int main(int argc, char** argv) {
  settings set{{{}, 20'000, 20}};
  command_line command("sssp", problem, metric);
  set.add_to(command);
  command.parser()
      .add_option("--method", set.methods, "delta_stepping, bellman_ford")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"delta_stepping", "bellman_ford"}));
  command.parser()
      .add_option("--delta", set.delta, "Width of a bucket; 0: the library decides")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
