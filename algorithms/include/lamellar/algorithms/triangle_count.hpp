// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/graph_slots.hpp>
#include <lamellar/algorithms/detail/graph_steps.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <mutex>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// How many triangles a graph has: sets of three vertices, each two of which have an edge.
//
// Every edge is kept at its end of smaller degree, so that no vertex keeps many: at most
// sqrt(2 edges). A vertex sends its list once to each PE that owns a vertex of it, which
// compares it with the lists of these.
//
// Collective. Threads: the body, whose lists all threads of a PE compare, and handlers, which
// overlap.
// Source: T. Schank, D. Wagner, "Finding, counting and listing all triangles", 2005; bale's
// triangles.
namespace lamellar {

/// The number of triangles. Loops and repeated edges do not count. Begins with a quiesce of the
/// team.
///
/// Cost: O(edges^1.5) in all; each list of a vertex once to each PE that it concerns. Memory:
/// 12 bytes for each edge, 8 for each vertex that a PE works with. Requires: a frozen graph.
/// Misuse: edges that do not lie both ways.
template <class V, class E>
task<std::uint64_t> triangle_count(
    graph<V, E> g, std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

struct triangle_part : round_part {
  // They read what nobody changes any more, and add up under the lock.
  static constexpr bool concurrent_handlers = true;

  using round_part::round_part;

  std::span<const vertex_id> row(std::uint64_t offset) const {
    return {kept.data() + begins[offset], begins[offset + 1] - begins[offset]};
  }
  /// `list`: in order, what one vertex keeps. Those of its triangles that are seen here.
  std::uint64_t close(std::span<const vertex_id> list) const {
    std::uint64_t found = 0;
    for (auto v = std::lower_bound(list.begin(), list.end(), first);
         v != list.end() && *v - first < own; ++v) {
      const auto other = row(*v - first);
      auto a = list.begin();
      auto b = other.begin();
      while (a != list.end() && b != other.end()) {
        const bool a_first = *a <= *b;
        const bool b_first = *b <= *a;
        found += static_cast<std::uint64_t>(a_first && b_first);
        a += static_cast<std::ptrdiff_t>(a_first);
        b += static_cast<std::ptrdiff_t>(b_first);
      }
    }
    return found;
  }

  std::vector<std::uint64_t> begins{0};  // of each own vertex' list, and of one more
  std::vector<vertex_id> kept;
  std::uint64_t triangles = 0;  // under the lock
};

struct close_triangles {
  void operator()(triangle_part& mine, std::span<const vertex_id> list) const {
    const std::uint64_t found = mine.close(list);
    const std::lock_guard held{mine.lock};
    mine.triangles += found;
  }
};

/// Of each edge between two vertices keep the one from that of smaller degree. Collective.
template <class V, class E>
task<> keep_edges(graph<V, E> g, located_team of, triangle_part& mine) {
  auto finding = graph_slots::create(g, of);
  const graph_slots edges = co_await finding;
  std::vector<std::uint64_t> degrees(edges.values.slots());
  for (const vertex_id v : g.local_vertices()) {
    degrees[v - mine.first] = g.neighbours(v).size();
  }
  auto bringing = edges.values.bring(std::span{degrees});
  co_await bringing;
  for (const vertex_id v : g.local_vertices()) {
    const auto row = g.neighbours(v);
    const auto slots = edges.of(v - mine.first);
    const std::pair own{degrees[v - mine.first], v};
    for (std::size_t k = 0; k < row.size(); ++k) {
      const bool again = k != 0 && row[k].to == row[k - 1].to;
      if (!again && own < std::pair{degrees[slots[k]], row[k].to}) {
        mine.kept.push_back(row[k].to);
      }
    }
    mine.begins.push_back(mine.kept.size());
  }
}

}  // namespace detail

template <class V, class E>
task<std::uint64_t> triangle_count(graph<V, E> g, std::source_location where) {
  using part = detail::triangle_part;
  const detail::located_team of{g.members(), where};
  detail::check_both_ways(g, "triangle_count", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto making = darc<part>::create(of, of.value, g.layout());
  const darc<part> parts = co_await making;
  part& mine = *parts;
  auto keeping = detail::keep_edges(g, of, mine);
  co_await keeping;
  auto meeting = of.value.barrier(where);
  co_await meeting;
  for (std::uint64_t v = 0; v < mine.own; ++v) {
    const auto list = mine.row(v);
    if (list.size() < 2) {
      continue;
    }
    std::uint32_t last = mine.me;
    for (const vertex_id each : list) {  // in order, so that those of a PE follow each other
      const auto owner = static_cast<std::uint32_t>(mine.layout.owner(each));
      if (owner != mine.me && owner != last) {
        parts.send(pe{mine.pes[owner]}, detail::close_triangles{}, list);
        last = owner;
      }
    }
  }
  const std::uint64_t found = on_node::reduce(
      of.value.where().on_node(), mine.own, std::uint64_t{0},
      [&mine](std::size_t v) { return mine.close(mine.row(v)); }, std::plus<>{});
  {
    const std::lock_guard held{mine.lock};
    mine.triangles += found;
  }
  auto ending = of.value.quiesce(where);
  co_await ending;
  auto adding = all_reduce(of, mine.triangles);
  co_return co_await adding;
}

}  // namespace lamellar
