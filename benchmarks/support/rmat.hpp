// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "mixed.hpp"

// Edges of an R-MAT graph: 2^scale vertices, a few of them with many edges, most with few or
// none. An edge is a pure function of its number, so that any PE makes any share of them.
//
// Each bit of both ends is drawn by itself, with the probabilities of Graph 500; then the
// numbers of the vertices are scrambled, so that they say nothing of the degree.
//
// Source: Chakrabarti, Zhan, Faloutsos, "R-MAT: a recursive model for graph mining", 2004.
// Thread-safety: constant.
namespace lamellar::benchmark {

class rmat_graph {
 public:
  using vertex = std::uint32_t;
  using edge = std::pair<vertex, vertex>;

  /// Requires: 1 <= scale <= 31.
  rmat_graph(unsigned scale, std::uint64_t edges, std::uint64_t seed)
      : scale_{scale}, edges_{edges}, seed_{mixed(seed)} {}

  std::size_t vertices() const { return std::size_t{1} << scale_; }
  std::uint64_t edges() const { return edges_; }

  /// Edge number k.
  edge at(std::uint64_t k) const {
    vertex from = 0;
    vertex to = 0;
    std::uint64_t random = mixed(seed_ + 2 * k);
    for (unsigned bit = 0; bit < scale_; ++bit) {
      random = mixed(random + bit + 1);
      const auto drawn = static_cast<unsigned>(random % 100);
      const bool down = drawn >= 57 + 19;                             // c and d
      const bool right = drawn >= 57 && (drawn < 76 || drawn >= 95);  // b and d
      from = from * 2 + down;
      to = to * 2 + right;
    }
    return {scrambled(from), scrambled(to)};
  }
  /// Share number `share` of `shares`.
  std::vector<edge> share(std::uint64_t share, std::uint64_t shares) const {
    const std::uint64_t begin = edges_ * share / shares;
    const std::uint64_t end = edges_ * (share + 1) / shares;
    std::vector<edge> all;
    all.reserve(end - begin);
    for (std::uint64_t k = begin; k < end; ++k) {
      all.push_back(at(k));
    }
    return all;
  }

 private:
  /// A permutation of the numbers of vertices.
  vertex scrambled(vertex v) const {
    const auto mask = static_cast<vertex>(vertices() - 1);
    const unsigned half = std::max(1U, scale_ / 2);
    for (const std::uint64_t odd : {0x9e3779b1U, 0x85ebca77U, 0xc2b2ae3dU}) {
      v = static_cast<vertex>((v * odd + seed_) & mask);
      v ^= v >> half;
    }
    return v;
  }

  unsigned scale_;
  std::uint64_t edges_;
  std::uint64_t seed_;
};

}  // namespace lamellar::benchmark
