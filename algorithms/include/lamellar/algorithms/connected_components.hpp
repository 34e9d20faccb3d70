// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/graph_steps.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/disjoint_set.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// The connected components of a graph: vertices between which there is a way, whichever way its
// edges go.
//
// Collective. Threads: the body; one thread of each PE.
namespace lamellar {

struct graph_components {
  segments<vertex_id> labels;  ///< the least vertex of each one's component, in order
  std::uint64_t count = 0;     ///< components; a vertex without edges is one
};

/// Find the components. Begins with a quiesce of the team.
///
/// Cost: that of a disjoint_set, which sends only edges of a spanning forest. Memory: 16 bytes
/// for each own vertex, and at most 32 MiB. The same in every run. Requires: a frozen graph.
template <class V, class E>
task<graph_components> connected_components(
    graph<V, E> g, std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

template <class V, class E>
task<graph_components> connected_components(graph<V, E> g, std::source_location where) {
  const detail::located_team of{g.members(), where};
  detail::check_frozen(g, "connected_components", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto making = disjoint_set<vertex_id>::create(of, g.vertices());
  const disjoint_set<vertex_id> sets = co_await making;
  std::vector<std::pair<vertex_id, vertex_id>> pairs;
  constexpr std::size_t at_once = 4096;
  const bool both_ways = g.both_ways(where);
  for (const vertex_id v : g.local_vertices()) {
    for (const auto& each : g.neighbours(v)) {
      if (!both_ways || each.to < v) {
        pairs.emplace_back(v, each.to);
      }
      if (pairs.size() == at_once) {
        sets.unite(pairs);
        pairs.clear();
      }
    }
  }
  sets.unite(pairs);
  auto compressing = sets.compress(where);
  co_await compressing;
  auto counting = sets.count(where);
  graph_components found;
  found.count = co_await counting;
  const std::span<const vertex_id> labels = sets.local();
  auto giving =
      segments<vertex_id>::create(of, std::vector<vertex_id>(labels.begin(), labels.end()));
  found.labels = co_await giving;
  co_return found;
}

}  // namespace lamellar
