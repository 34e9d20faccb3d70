// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/graph_steps.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/detail/bit_set.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <limits>
#include <mutex>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Breadth-first search: how many edges each vertex is away from one, and a tree of such ways.
//
// Level by level. Usually every PE tells the owners of its frontier's neighbours, of each
// vertex once. Where edges lie both ways and the frontier has a good part of them, all PEs
// learn who is in it, as a bit for each vertex, and vertices that nobody has reached look for a
// neighbour there: most find one soon. Both ways give the same result.
//
// Collective. Threads: the body; vertices look for neighbours by all threads of a PE, which
// tells neighbours by one.
// Source: Graph500; S. Beamer, K. Asanovic, D. Patterson, "Direction-optimizing breadth-first
// search", SC 2012.
namespace lamellar {

/// The number of no vertex.
inline constexpr vertex_id no_vertex = std::numeric_limits<vertex_id>::max();

struct breadth_first_tree {
  static constexpr std::uint32_t unreached = std::numeric_limits<std::uint32_t>::max();

  /// Of each vertex, in order: its least neighbour one level before; of the start, itself;
  /// no_vertex: not reached.
  segments<vertex_id> parents;
  segments<std::uint32_t> levels;  ///< 0: the start
  std::uint64_t reached = 0;       ///< vertices, the start among them
  std::uint64_t edges = 0;         ///< that go from these
  std::uint32_t depth = 0;         ///< the last level
};

/// Search from `start`. Begins with a quiesce of the team.
///
/// Cost: each edge once, or less; a record of 16 bytes from each PE to each vertex that it
/// reaches, or a bit of each vertex to each PE; a quiesce and an all_reduce a level. Memory: 20
/// bytes for each own vertex, n/8 for all, twice. Requires: a frozen graph, the same start
/// everywhere.
template <class V, class E>
task<breadth_first_tree> breadth_first_search(
    graph<V, E> g, vertex_id start,
    std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// "I am your neighbour, and was reached."
struct reach_record {
  std::uint64_t offset;
  vertex_id from;
};

struct frontier_size {
  std::uint64_t vertices = 0;
  std::uint64_t edges = 0;
};

struct search_part : round_part {
  using round_part::round_part;

  void take(std::span<const reach_record> records) {
    for (const auto& [offset, from] : records) {
      if (levels[offset] == breadth_first_tree::unreached) {
        reach(offset, from);
      } else if (levels[offset] == level + 1 && from < parents[offset]) {
        parents[offset] = from;
      }
    }
  }
  void reach(std::uint64_t offset, vertex_id from) {
    levels[offset] = level + 1;
    parents[offset] = from;
    next.push_back(offset);
  }
  /// Let the next level be this one, in order.
  void advance() {
    ++level;
    current = std::exchange(next, {});
    if (std::is_sorted(current.begin(), current.end())) {
      return;
    }
    if (current.size() < own / 32) {
      std::sort(current.begin(), current.end());
      return;
    }
    current.clear();
    for (std::uint64_t k = 0; k < own; ++k) {
      if (levels[k] == level) {
        current.push_back(k);
      }
    }
  }

  std::vector<vertex_id> parents = std::vector<vertex_id>(own, no_vertex);
  std::vector<std::uint32_t> levels =
      std::vector<std::uint32_t>(own, breadth_first_tree::unreached);
  std::uint32_t level = 0;
  std::vector<std::uint64_t> current;  // offsets of the vertices of this level, in order
  std::vector<std::uint64_t> next;     // of the next one, as they come
};

/// Tell the neighbours of this level's vertices, but for those that were told before.
template <class V, class E>
void tell_neighbours(const graph<V, E>& g, const darc<search_part>& parts, bit_set& told) {
  search_part& mine = *parts;
  vertex_mail<search_part, reach_record> mail{parts};
  for (const std::uint64_t offset : mine.current) {
    const vertex_id v = mine.first + offset;
    for (const auto& each : g.neighbours(v)) {
      if (told.insert(each.to)) {
        mail.put(each.to, [v](std::uint64_t at) { return reach_record{at, v}; });
      }
    }
  }
  mail.flush();
}

/// Let vertices that were not reached look for a neighbour in this level.
template <class V, class E>
task<> look_for_parents(const graph<V, E>& g, located_team of, search_part& mine) {
  // The words of each member's block; those at its ends may belong to two.
  bit_set frontier{g.vertices()};
  for (const std::uint64_t offset : mine.current) {
    frontier.insert(mine.first + offset);
  }
  const std::uint64_t first = mine.first / bit_set::word_bits;
  const std::uint64_t last =
      (mine.first + mine.own + bit_set::word_bits - 1) / bit_set::word_bits;
  const auto words = frontier.words().subspan(first, last - first);
  auto gathering = all_gather(of, std::vector<std::uint64_t>(words.begin(), words.end()));
  const std::vector<std::vector<std::uint64_t>> all = co_await gathering;
  for (std::uint32_t k = 0; k < all.size(); ++k) {
    const std::uint64_t begin = mine.layout.first(k) / bit_set::word_bits;
    for (std::size_t w = 0; w < all[k].size(); ++w) {
      frontier.words()[begin + w] |= all[k][w];
    }
  }
  const auto look = [&](std::size_t begin, std::size_t end) {
    std::vector<std::uint64_t> found;
    for (std::uint64_t k = begin; k < end; ++k) {
      if (mine.levels[k] != breadth_first_tree::unreached) {
        continue;
      }
      for (const auto& each : g.neighbours(mine.first + k)) {
        if (frontier.contains(each.to)) {
          mine.levels[k] = mine.level + 1;
          mine.parents[k] = each.to;
          found.push_back(k);
          break;
        }
      }
    }
    const std::lock_guard held{mine.lock};
    mine.next.insert(mine.next.end(), found.begin(), found.end());
  };
  on_node::for_each_range(of.value.where().on_node(), mine.own, look);
}

}  // namespace detail

template <class V, class E>
task<breadth_first_tree> breadth_first_search(graph<V, E> g, vertex_id start,
                                              std::source_location where) {
  using detail::frontier_size;
  const detail::located_team of{g.members(), where};
  detail::check_start(g, start, "breadth_first_search", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto making = darc<detail::search_part>::create(of, of.value, g.layout());
  const darc<detail::search_part> parts = co_await making;
  detail::search_part& mine = *parts;
  if (g.is_local(start)) {
    mine.parents[start - mine.first] = start;
    mine.levels[start - mine.first] = 0;
    mine.current.push_back(start - mine.first);
  }
  detail::bit_set told{g.vertices()};
  told.insert(start);
  const auto add = [](const frontier_size& a, const frontier_size& b) {
    return frontier_size{a.vertices + b.vertices, a.edges + b.edges};
  };
  frontier_size reached;
  bool looks = false;
  for (;;) {
    frontier_size own{mine.current.size(), 0};
    own.edges = on_node::reduce(
        of.value.where().on_node(), mine.current.size(), std::uint64_t{0},
        [&](std::size_t k) {
          return std::uint64_t{g.neighbours(mine.first + mine.current[k]).size()};
        },
        std::plus<>{});
    auto counting = all_reduce(of, own, add);
    const frontier_size frontier = co_await counting;
    if (frontier.vertices == 0) {
      break;
    }
    reached = add(reached, frontier);
    // As in the article, with its constants.
    looks = g.both_ways() && (looks ? frontier.vertices >= g.vertices() / 24
                                    : frontier.edges > (g.edges() - reached.edges) / 14);
    if (looks) {
      auto looking = detail::look_for_parents(g, of, mine);
      co_await looking;
    } else {
      detail::tell_neighbours(g, parts, told);
      auto ending = of.value.quiesce(where);
      co_await ending;
    }
    mine.advance();
  }
  breadth_first_tree tree;
  tree.reached = reached.vertices;
  tree.edges = reached.edges;
  tree.depth = mine.level - 1;
  auto giving = segments<vertex_id>::create(of, std::move(mine.parents));
  tree.parents = co_await giving;
  auto giving_levels = segments<std::uint32_t>::create(of, std::move(mine.levels));
  tree.levels = co_await giving_levels;
  co_return tree;
}

}  // namespace lamellar
