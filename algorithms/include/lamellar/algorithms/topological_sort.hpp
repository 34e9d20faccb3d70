// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/breadth_first_search.hpp>
#include <lamellar/algorithms/detail/graph_steps.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/task.hpp>
#include <ranges>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// An order of the vertices of a graph in which every edge leads to a later one: layer by layer,
// in each the vertices to which no edge leads from those that are left.
//
// Collective. Threads: the body; one thread of each PE.
// Source: A. Kahn, "Topological sorting of large networks", 1962; by rounds. bale's toposort.
namespace lamellar {

struct topological_order {
  static constexpr std::uint64_t nowhere = no_vertex;

  /// Each vertex' place in the order; nowhere: it lies on a cycle or behind one.
  segments<std::uint64_t> places;
  std::uint64_t placed = 0;  ///< vertices that have a place
  std::uint64_t layers = 0;  ///< vertices on a longest path

  /// Whether there is such an order of all vertices.
  bool complete() const { return placed == places.size(); }
};

/// Order the vertices: by layers, and within a layer by number. Begins with a quiesce of the
/// team.
///
/// Cost: a record of 8 bytes for an edge to another PE, twice; a quiesce, an all_reduce and a
/// scan a layer. Memory: 16 bytes for each own vertex. The same in every run. Requires: a
/// frozen graph.
template <class V, class E>
task<topological_order> topological_sort(
    graph<V, E> g, std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

struct order_part : round_part {
  using round_part::round_part;

  /// An edge leads here; or one that did leads from a vertex that now has its place.
  void take(std::span<const std::uint64_t> offsets) {
    for (const std::uint64_t offset : offsets) {
      if (counting) {
        ++edges_to[offset];
      } else if (--edges_to[offset] == 0) {
        next.push_back(offset);
      }
    }
  }

  bool counting = true;
  std::vector<std::uint64_t> edges_to = std::vector<std::uint64_t>(own);
  std::vector<std::uint64_t> places = std::vector<std::uint64_t>(own, no_vertex);
  std::vector<std::uint64_t> next;  // offsets of the next layer
};

template <class V, class E, class Offsets>
void follow_edges(const graph<V, E>& g, const darc<order_part>& parts, const Offsets& from) {
  vertex_mail<order_part, std::uint64_t> mail{parts};
  for (const std::uint64_t offset : from) {
    for (const auto& each : g.neighbours(parts->first + offset)) {
      mail.put(each.to, [](std::uint64_t at) { return at; });
    }
  }
  mail.flush();
}

}  // namespace detail

template <class V, class E>
task<topological_order> topological_sort(graph<V, E> g, std::source_location where) {
  using part = detail::order_part;
  const detail::located_team of{g.members(), where};
  detail::check_frozen(g, "topological_sort", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto making = darc<part>::create(of, of.value, g.layout());
  const darc<part> parts = co_await making;
  part& mine = *parts;
  detail::follow_edges(g, parts, std::views::iota(std::uint64_t{0}, mine.own));
  auto counted = of.value.quiesce(where);
  co_await counted;
  mine.counting = false;
  for (std::uint64_t v = 0; v < mine.own; ++v) {
    if (mine.edges_to[v] == 0) {
      mine.next.push_back(v);
    }
  }
  topological_order result;
  for (;;) {
    std::vector<std::uint64_t> layer = std::exchange(mine.next, {});
    std::sort(layer.begin(), layer.end());
    auto scanning = exclusive_scan(of, std::uint64_t{layer.size()}, std::uint64_t{0});
    const std::uint64_t before = co_await scanning;
    auto adding = all_reduce(of, std::uint64_t{layer.size()});
    const std::uint64_t all = co_await adding;
    if (all == 0) {
      break;
    }
    for (std::size_t k = 0; k < layer.size(); ++k) {
      mine.places[layer[k]] = result.placed + before + k;
    }
    result.placed += all;
    ++result.layers;
    detail::follow_edges(g, parts, layer);
    auto ending = of.value.quiesce(where);
    co_await ending;
  }
  auto giving = segments<std::uint64_t>::create(of, std::move(mine.places));
  result.places = co_await giving;
  co_return result;
}

}  // namespace lamellar
