// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "rmat.hpp"

// A graph in the memory of one PE, as plain as it gets: the edges of each vertex in a row. For
// what one thread does by itself, to compare with.
//
// Thread-safety: constant.
namespace lamellar::benchmark {

class edge_rows {
 public:
  using vertex = rmat_graph::vertex;
  using edge = rmat_graph::edge;

  edge_rows() = default;
  /// Of `edges`, or of these and the same turned round; loops count once.
  edge_rows(std::size_t vertices, std::span<const edge> edges, bool both_ways)
      : begins_(vertices + 1) {
    const auto each = [&](auto visit) {
      for (const auto& [a, b] : edges) {
        visit(a, b);
        if (both_ways && a != b) visit(b, a);
      }
    };
    each([&](vertex a, vertex) { ++begins_[a + std::size_t{1}]; });
    for (std::size_t v = 0; v < vertices; ++v) begins_[v + 1] += begins_[v];
    ends_.resize(begins_.back());
    std::vector<std::uint64_t> next(begins_.begin(), begins_.end() - 1);
    each([&](vertex a, vertex b) { ends_[next[a]++] = b; });
  }

  std::size_t vertices() const { return begins_.empty() ? 0 : begins_.size() - 1; }
  std::size_t edges() const { return ends_.size(); }
  std::span<const vertex> row(std::size_t v) const {
    return {ends_.data() + begins_[v], begins_[v + 1] - begins_[v]};
  }

 private:
  std::vector<std::uint64_t> begins_;  // of each row, and the number of all
  std::vector<vertex> ends_;
};

/// An edge that alone connects its second end, which is not its first: without it another
/// answer comes out. The number of the edge, and the edge so that the lonely vertex is second.
inline std::pair<std::uint64_t, rmat_graph::edge> lonely_edge(const rmat_graph& graph) {
  std::vector<std::uint32_t> degree(graph.vertices());
  for (std::uint64_t k = 0; k < graph.edges(); ++k) {
    const auto [a, b] = graph.at(k);
    if (a != b) ++degree[a], ++degree[b];
  }
  for (std::uint64_t k = 0; k < graph.edges(); ++k) {
    const auto [a, b] = graph.at(k);
    if (a != b && degree[b] == 1) return {k, {a, b}};
    if (a != b && degree[a] == 1) return {k, {b, a}};
  }
  throw std::invalid_argument("no vertex of this graph has one edge; take a larger --scale");
}

}  // namespace lamellar::benchmark
