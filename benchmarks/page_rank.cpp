// SPDX-License-Identifier: BSD-3-Clause
//
// page_rank: how fast do all PEs rank the vertices of a graph? Beside it stands the same by one
// thread.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lamellar/algorithms/page_rank.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <utility>
#include <vector>

#include "support/graph_benchmark.hpp"

namespace lamellar::benchmark {
namespace {

struct settings : graph_settings {
  std::uint64_t rounds = 10;
};

constexpr double damping = 0.85;

std::vector<double> serial_ranks(const edge_rows& rows, std::uint64_t rounds) {
  const auto n = static_cast<double>(rows.vertices());
  std::vector<double> ranks(rows.vertices(), 1 / n);
  std::vector<double> given(rows.vertices());
  for (std::uint64_t round = 0; round < rounds; ++round) {
    std::fill(given.begin(), given.end(), 0.0);
    double stuck = 0;
    for (std::size_t v = 0; v < rows.vertices(); ++v) {
      const auto row = rows.row(v);
      if (row.empty()) {
        stuck += ranks[v];
        continue;
      }
      const double share = ranks[v] / static_cast<double>(row.size());
      for (const auto u : row) given[u] += share;
    }
    const double start = (1 - damping + damping * stuck) / n;
    for (std::size_t v = 0; v < rows.vertices(); ++v) ranks[v] = start + damping * given[v];
  }
  return ranks;
}

class rankings {
 public:
  rankings(world& w, const settings& set)
      : world_{w},
        edges_{set.graph()},
        rounds_{set.rounds},
        graph_{graph<>::create(w, edges_.vertices()).get()} {
    auto own = edges_.share(w.me().index(), w.size());
    if (set.common.sabotage) {  // an edge goes elsewhere
      if (w.me() == pe(0)) own.at(0) = {own.at(0).second, own.at(0).second ^ 1};
    }
    std::vector<graph_edge<>> list;
    list.reserve(own.size());
    for (const auto& [a, b] : own) list.push_back({a, b});
    graph_.add_edges(list);
    graph_.freeze().get();
    if (w.me() == pe(0)) rows_ = edge_rows{edges_.vertices(), edges_.share(0, 1), false};
  }

  /// PE 0 alone.
  double serially() {
    double seconds = 0;
    world_.barrier().get();
    if (world_.me() == pe(0)) {
      const stopwatch watch;
      expected_ = serial_ranks(rows_, rounds_);
      seconds = watch.seconds();
    }
    expected_ = broadcast(world_, std::move(expected_)).get();
    return seconds;
  }
  double together() {
    world_.barrier().get();
    const stopwatch watch;
    const page_ranks found = page_rank(graph_, {.damping = damping,
                                                .tolerance = 0,
                                                .rounds = static_cast<std::uint32_t>(rounds_)})
                                 .get();
    const double seconds = watch.seconds();
    std::size_t k = 0;
    for (const vertex_id v : graph_.local_vertices()) {
      const double apart = std::abs(found.ranks.local()[k++] - expected_[v]);
      right_ = right_ && apart <= 1e-9 * expected_[v];
    }
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t passed() const { return edges_.edges() * rounds_; }

 private:
  world& world_;
  rmat_graph edges_;
  std::uint64_t rounds_;
  graph<> graph_;
  edge_rows rows_;  // on PE 0
  std::vector<double> expected_;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  set.check();
  rankings work{w, set};
  measure_by_turns(w, set, out, "page_rank", "serial_ranks", work, [&](result& r) {
    r.operations = static_cast<double>(work.passed());
    r.parameters.emplace_back("rounds", static_cast<std::int64_t>(set.rounds));
  });
}

constexpr const char* problem =
    "The PageRank of the vertices of an R-MAT graph of 2^scale vertices and edge-factor times\n"
    "as many edges, with the probabilities of Graph 500, after some rounds.";
constexpr const char* metric =
    "edges passed per second, all PEs together: edges times rounds. The graph is built "
    "before;\n"
    "what the PEs find out about it to exchange ranks is inside. The limit is the same by one\n"
    "thread of PE 0, in 32-bit rows. Ranks are compared with its, to nine digits.";

int main(int argc, char** argv) {
  settings set;
  command_line command("page_rank", problem, metric);
  set.add_to(command);
  command.add_size("--rounds", set.rounds, "Rounds");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
