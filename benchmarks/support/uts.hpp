// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "sha1.hpp"

// Trees whose shape nobody knows before they have been walked: a node is a random state, which
// says how many children it has, and child k's state is the hash of the node's and k.
//
// Source: Olivier et al., "UTS: an unbalanced tree search benchmark", 2006; the same trees,
// node by node, so that the published sizes hold.
// Thread-safety: constant.
namespace lamellar::benchmark {

struct uts_node {
  sha1_digest state;
  std::uint32_t depth;
};

struct uts_tree {
  enum class shape { geometric, binomial };
  shape kind;
  std::uint32_t seed;
  double branching;     // geometric: children on average; binomial: children of the root
  std::uint32_t depth;  // geometric: nodes at this depth have none
  double inner;         // binomial: how probable it is that a node has children
  std::uint32_t each;   // binomial: how many it has then

  uts_node root() const { return {sha1(std::array<std::uint32_t, 5>{0, 0, 0, 0, seed}), 0}; }

  std::uint32_t children(const uts_node& of) const {
    constexpr std::uint32_t most = 100;
    const double random = static_cast<double>(of.state[4] & 0x7fffffffU) / 2147483648.0;
    if (kind == shape::binomial) {
      return of.depth == 0 ? static_cast<std::uint32_t>(branching) : random < inner ? each : 0;
    }
    if (of.depth >= depth) return 0;
    const double p = 1.0 / (1.0 + branching);
    return std::min(
        most, static_cast<std::uint32_t>(std::floor(std::log(1 - random) / std::log(1 - p))));
  }

  static uts_node child(const uts_node& of, std::uint32_t k) {
    const auto& s = of.state;
    return {sha1(std::array<std::uint32_t, 6>{s[0], s[1], s[2], s[3], s[4], k}), of.depth + 1};
  }
};

}  // namespace lamellar::benchmark
