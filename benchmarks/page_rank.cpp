// SPDX-License-Identifier: BSD-3-Clause
//
// page_rank: how fast do all PEs rank the vertices of a graph? Beside it stands the same by one
// thread.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lamellar/algorithms/page_rank.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/edge_rows.hpp"
#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t scale = 18;
  std::uint64_t edge_factor = 16;
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
        edges_{static_cast<unsigned>(set.scale), set.edge_factor << set.scale, 1},
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
  rankings work{w, set};
  samples together;
  samples serially;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    serially.add(work.serially());
    together.add(work.together());
  }
  const auto seconds = slowest(w, together.counted());
  const bool right = on_all(w, work.right());
  if (out != nullptr) {
    result r = job_result(w, "page_rank", set.common);
    r.operations = static_cast<double>(work.passed());
    r.seconds = summarise(seconds);
    r.unit = "edges/s";
    r.verified = right;
    r.bound = {"serial_ranks", r.operations / serially.median()};
    r.parameters = {{"scale", static_cast<std::int64_t>(set.scale)},
                    {"edge_factor", static_cast<std::int64_t>(set.edge_factor)},
                    {"rounds", static_cast<std::int64_t>(set.rounds)}};
    out->add(std::move(r));
  }
  w.barrier().get();
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
  command.add_size("--scale", set.scale, "Binary logarithm of the number of vertices");
  command.add_size("--edge-factor", set.edge_factor, "Edges for each vertex");
  command.add_size("--rounds", set.rounds, "Rounds");
  return run_benchmark(
      command, argc, argv, set, [](world& w, const settings& given, report* out) {
        if (given.scale < 1 || given.scale > 28) {
          throw std::invalid_argument(
              fmt::format("--scale {}: 1 to 28, PE 0 holds all edges", given.scale));
        }
        measure(w, given, out);
      });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
