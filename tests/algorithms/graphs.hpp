// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

// Graphs for tests of algorithms: small ones of many shapes, which every PE has as a list of
// edges, so that it can do by itself what all do together.
//
// Thread-safety: the body of each PE.
namespace lamellar::testing {

using weighted_edge = graph_edge<std::uint32_t>;
using weighted_graph = graph<no_data, std::uint32_t>;
/// Of each vertex.
using adjacency = std::vector<std::vector<graph_neighbour<std::uint32_t>>>;

struct graph_input {
  std::string name;
  std::uint64_t n;
  std::vector<weighted_edge> edges;
};

/// An edge of an R-MAT graph: in each step one quarter of the matrix.
inline weighted_edge rmat_edge(std::mt19937_64& random, unsigned scale) {
  weighted_edge edge{0, 0, static_cast<std::uint32_t>(random() % 100)};
  for (unsigned bit = 0; bit < scale; ++bit) {
    const std::uint64_t drawn = random() % 100;
    edge.from = 2 * edge.from + (drawn >= 76 ? 1 : 0);
    edge.to = 2 * edge.to + ((drawn >= 57 && drawn < 76) || drawn >= 95 ? 1 : 0);
  }
  return edge;
}

inline std::vector<graph_input> graph_inputs() {
  std::vector<graph_input> all;
  std::mt19937_64 random{20240607};
  const auto weight = [&random] { return static_cast<std::uint32_t>(random() % 50); };
  all.push_back({"empty", 0, {}});
  all.push_back({"one", 1, {}});
  all.push_back({"loop", 1, {{0, 0, 3}}});
  all.push_back({"nothing", 20, {}});
  graph_input path{"path", 60, {}};
  for (std::uint64_t v = 0; v + 1 < path.n; ++v) path.edges.push_back({v, v + 1, weight()});
  all.push_back(path);
  graph_input star{"star", 50, {}};
  for (std::uint64_t v = 0; v < star.n; ++v) {
    if (v != 17) star.edges.push_back({17, v, weight()});
  }
  all.push_back(star);
  graph_input rings{"rings", 45, {}};
  for (std::uint64_t v = 0; v < 45; ++v) {
    rings.edges.push_back({v, v % 15 == 14 ? v - 14 : v + 1, weight()});
  }
  all.push_back(rings);
  graph_input cliques{"cliques", 24, {}};
  for (std::uint64_t a = 0; a < 24; ++a) {
    for (std::uint64_t b = a + 1; b < 24; ++b) {
      if ((a < 9) == (b < 9)) cliques.edges.push_back({a, b, weight()});
    }
  }
  cliques.edges.push_back({3, 12, 7});
  all.push_back(cliques);
  for (const unsigned scale : {3U, 7U, 9U}) {
    graph_input rmat{"rmat " + std::to_string(scale), std::uint64_t{1} << scale, {}};
    for (std::uint64_t k = 0; k < rmat.n * 6; ++k) {
      rmat.edges.push_back(rmat_edge(random, scale));
    }
    all.push_back(rmat);
  }
  return all;
}

/// The graph of an input, with edges both ways if wanted; each PE puts in a part of them.
inline task<weighted_graph> make_graph(world& w, const graph_input& in, bool both) {
  auto making = weighted_graph::create(w, in.n);
  const weighted_graph g = co_await making;
  for (std::size_t k = w.me().index(); k < in.edges.size(); k += w.size()) {
    const auto& [from, to, data] = in.edges[k];
    if (both) {
      g.add_edge_both(from, to, data);
    } else {
      g.add_edge(from, to, data);
    }
  }
  auto freezing = g.freeze();
  co_await freezing;
  co_return g;
}

inline adjacency serial_graph(const graph_input& in, bool both) {
  adjacency rows(in.n);
  for (const auto& [from, to, data] : in.edges) {
    rows[from].push_back({to, data});
    if (both && from != to) rows[to].push_back({from, data});
  }
  return rows;
}

/// All elements of a range, on every PE.
template <class T>
task<std::vector<T>> everything(segments<T> range) {
  const auto local = range.local();
  auto gathering = all_gather(range.members(), std::vector<T>(local.begin(), local.end()));
  std::vector<T> all;
  for (const auto& some : co_await gathering) all.insert(all.end(), some.begin(), some.end());
  co_return all;
}

/// Run check(world, input, graph, adjacency) for a graph whose loops the threads of a PE share,
/// if it has several.
template <class Check>
void on_large_graph(bool both, Check check) {
  on_pes([both, check](world& w) -> task<> {
    if (w.threads() == 1) co_return;
    std::mt19937_64 random{99};
    graph_input in{"large", std::uint64_t{1} << 14, {}};
    for (std::uint64_t k = 0; k < in.n * 4; ++k) in.edges.push_back(rmat_edge(random, 14));
    auto making = make_graph(w, in, both);
    const weighted_graph g = co_await making;
    const adjacency rows = serial_graph(in, both);
    auto checking = check(w, in, g, rows);
    co_await checking;
    co_await w.barrier();
  });
}

/// Run check(world, input, graph, adjacency) for all inputs.
template <class Check>
void on_graphs(bool both, Check check) {
  on_pes([both, check](world& w) -> task<> {
    for (const graph_input& in : graph_inputs()) {
      CAPTURE(in.name);
      auto making = make_graph(w, in, both);
      const weighted_graph g = co_await making;
      const adjacency rows = serial_graph(in, both);
      auto checking = check(w, in, g, rows);
      co_await checking;
      co_await w.barrier();
    }
  });
}

}  // namespace lamellar::testing
