// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/graph_slots.hpp>
#include <lamellar/algorithms/detail/graph_steps.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// How important the vertices of a graph are: where a walker is who follows edges at random, and
// now and then starts anew anywhere.
//
// Each PE sums up what its vertices give to each vertex of others, so that a round sends one
// number for each of these and PE.
//
// Collective. Threads: the body; one thread of each PE.
// Source: L. Page, S. Brin, R. Motwani, T. Winograd, "The PageRank citation ranking", 1999.
namespace lamellar {

struct page_rank_options {
  double damping = 0.85;       ///< the share of steps that follow an edge
  double tolerance = 1e-9;     ///< it ends when the sum of all changes is no more
  std::uint32_t rounds = 100;  ///< or after so many
};

struct page_ranks {
  segments<double> ranks;    ///< of each vertex, in order; their sum is 1
  std::uint32_t rounds = 0;  ///< that were needed
  double change = 0;         ///< in the last one
};

/// Rank the vertices. From a vertex without edges the walker goes anywhere; of several edges
/// between two vertices each counts. Begins with a quiesce of the team.
///
/// Cost: a round passes over all edges, and sends 8 bytes from each PE to each vertex of others
/// that it has edges to; two all_reduce. Memory: 4 bytes for each edge, 16 for each vertex that
/// a PE works with. The same in every run with as many PEs. Requires: a frozen graph, the same
/// options everywhere.
template <class V, class E>
task<page_ranks> page_rank(graph<V, E> g, page_rank_options options = {},
                           std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

template <class V, class E>
task<page_ranks> page_rank(graph<V, E> g, page_rank_options options,
                           std::source_location where) {
  const detail::located_team of{g.members(), where};
  detail::check_frozen(g, "page_rank", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto finding = detail::graph_slots::create(g, of);
  const detail::graph_slots edges = co_await finding;
  const std::size_t own = edges.values.own();
  const auto n = static_cast<double>(g.vertices());
  page_ranks result;
  std::vector<double> ranks(own, 1.0 / n);
  std::vector<double> given(edges.values.slots());
  while (result.rounds < options.rounds && g.vertices() != 0) {
    std::fill(given.begin(), given.end(), 0.0);
    double stuck = 0;
    for (std::size_t v = 0; v < own; ++v) {
      const auto to = edges.of(v);
      if (to.empty()) {
        stuck += ranks[v];
        continue;
      }
      const double share = ranks[v] / static_cast<double>(to.size());
      for (const std::uint32_t slot : to) {
        given[slot] += share;
      }
    }
    auto giving = edges.values.give_back(std::span{given}, std::plus<>{});
    co_await giving;
    auto adding = all_reduce(of, stuck);
    const double stuck_everywhere = co_await adding;
    const double start = (1 - options.damping + options.damping * stuck_everywhere) / n;
    double change = 0;
    for (std::size_t v = 0; v < own; ++v) {
      const double rank = start + options.damping * given[v];
      change += std::abs(rank - ranks[v]);
      ranks[v] = rank;
    }
    auto summing = all_reduce(of, change);
    result.change = co_await summing;
    ++result.rounds;
    if (result.change <= options.tolerance) {
      break;
    }
  }
  auto making = segments<double>::create(of, std::move(ranks));
  result.ranks = co_await making;
  co_return result;
}

}  // namespace lamellar
