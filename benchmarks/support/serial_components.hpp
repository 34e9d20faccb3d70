// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "rmat.hpp"

// The connected components of a graph by one thread, to compare with.
//
// Thread-safety: a pure function.
namespace lamellar::benchmark {

/// The least vertex of each component, by one thread: Rem's algorithm with splicing, the
/// fastest known, and a pass over the vertices.
inline std::vector<rmat_graph::vertex> serial_components(
    std::size_t vertices, std::span<const rmat_graph::edge> edges) {
  using vertex = rmat_graph::vertex;
  std::vector<vertex> parent(vertices);
  std::iota(parent.begin(), parent.end(), vertex{0});
  for (auto [a, b] : edges) {
    while (parent[a] != parent[b]) {
      if (parent[a] < parent[b]) std::swap(a, b);
      const vertex above = parent[a];
      parent[a] = parent[b];
      if (above == a) break;
      a = above;
    }
  }
  for (vertex& each : parent) each = parent[each];
  return parent;
}

}  // namespace lamellar::benchmark
