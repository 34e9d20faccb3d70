// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "by_turns.hpp"
#include "edge_rows.hpp"
#include "job.hpp"
#include "options.hpp"
#include "report.hpp"

// What benchmarks of R-MAT graphs have in common: the size of the graph, and an edge that is
// lost on purpose.
//
// Thread-safety: the main thread of each PE.
namespace lamellar::benchmark {

struct graph_settings {
  options common;
  std::uint64_t scale = 18;
  std::uint64_t edge_factor = 16;

  void add_to(command_line& command) {
    command.add_size("--scale", scale, "Binary logarithm of the number of vertices");
    command.add_size("--edge-factor", edge_factor, "Edges for each vertex");
  }
  /// Throws: std::invalid_argument, if PE 0 could not hold it.
  void check() const {
    if (scale < 1 || scale > 28) {
      throw std::invalid_argument(
          fmt::format("--scale {}: 1 to 28, PE 0 holds all edges", scale));
    }
  }
  rmat_graph graph() const {
    return rmat_graph{static_cast<unsigned>(scale), edge_factor << scale, 1};
  }
};

/// Let edge number `lost` be a loop in what this PE has of the graph.
inline void lose_edge(const world& w, const rmat_graph& graph, std::uint64_t lost,
                      std::vector<rmat_graph::edge>& own) {
  const std::uint64_t first = graph.edges() * w.me().index() / w.size();
  if (lost >= first && lost - first < own.size()) own[lost - first] = {0, 0};
}

/// measure_turns() of edges of such a graph. `complete(result)`, on PE 0, says how many of
/// them. Collective.
template <class Work, class Complete>
void measure_by_turns(world& w, const graph_settings& set, report* out, std::string name,
                      const char* limit, Work& work, const Complete& complete) {
  measure_turns(w, set.common, out, std::move(name), limit, work, [&](result& r) {
    r.unit = "edges/s";
    r.parameters = {{"scale", static_cast<std::int64_t>(set.scale)},
                    {"edge_factor", static_cast<std::int64_t>(set.edge_factor)}};
    complete(r);
  });
}

}  // namespace lamellar::benchmark
