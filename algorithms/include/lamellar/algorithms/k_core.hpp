// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/graph_steps.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <limits>
#include <numeric>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// How deep in a graph its vertices lie. The k-core is what is left when vertices with fewer
// than k edges to others that are left are taken away, again and again; a vertex' core number
// is the largest k for which it stays.
//
// Collective. Threads: the body; what is taken away, by one thread of each PE.
// Source: D. Matula, L. Beck, "Smallest-last ordering", 1983; by rounds.
namespace lamellar {

struct core_numbers {
  segments<std::uint64_t> numbers;  ///< of each vertex, in order
  std::uint64_t largest = 0;
  std::uint64_t rounds = 0;  ///< each with a quiesce
};

/// The core number of each vertex. Loops do not count; of several edges between two vertices
/// each does. Begins with a quiesce of the team.
///
/// Cost: O(edges) in all; a record of 8 bytes for an edge to another PE, once; a quiesce and an
/// all_reduce a round. Memory: 24 bytes for each own vertex. Requires: a frozen graph. Misuse:
/// edges that do not lie both ways.
template <class V, class E>
task<core_numbers> k_core(graph<V, E> g,
                          std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

struct core_part : round_part {
  static constexpr std::uint64_t still_there = std::numeric_limits<std::uint64_t>::max();

  using round_part::round_part;

  /// A neighbour was taken away.
  void take(std::span<const std::uint64_t> offsets) {
    for (const std::uint64_t offset : offsets) {
      if (numbers[offset] == still_there && --degrees[offset] <= k) {
        numbers[offset] = k;
        next.push_back(offset);
      }
    }
  }
  /// The least degree of vertices that are left. Those that are not leave the list: so a vertex
  /// is looked at no more often than its core number says, and all are no more than there are
  /// edges.
  std::uint64_t least() {
    std::erase_if(left, [this](std::uint64_t v) { return numbers[v] != still_there; });
    std::uint64_t found = still_there;
    for (const std::uint64_t v : left) {
      found = std::min(found, degrees[v]);
    }
    return found;
  }
  /// Take away those of degree k.
  void begin(std::uint64_t with) {
    k = with;
    for (const std::uint64_t v : left) {
      if (degrees[v] <= k) {
        numbers[v] = k;
        next.push_back(v);
      }
    }
  }

  std::uint64_t k = 0;
  std::vector<std::uint64_t> degrees = std::vector<std::uint64_t>(own);  // of what is left
  std::vector<std::uint64_t> numbers = std::vector<std::uint64_t>(own, still_there);
  std::vector<std::uint64_t>
      left;  // offsets of vertices that least() has found there, in order
  std::vector<std::uint64_t> next;  // offsets of vertices that were taken away
};

}  // namespace detail

template <class V, class E>
task<core_numbers> k_core(graph<V, E> g, std::source_location where) {
  using part = detail::core_part;
  const detail::located_team of{g.members(), where};
  detail::check_both_ways(g, "k_core", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto making = darc<part>::create(of, of.value, g.layout());
  const darc<part> parts = co_await making;
  part& mine = *parts;
  on_node::for_each(of.value.where().on_node(), mine.own, [&](std::size_t k) {
    const vertex_id v = mine.first + k;
    const auto row = g.neighbours(v);
    mine.degrees[k] = static_cast<std::uint64_t>(
        std::count_if(row.begin(), row.end(), [v](const auto& each) { return each.to != v; }));
  });
  mine.left.resize(mine.own);
  std::iota(mine.left.begin(), mine.left.end(), std::uint64_t{0});
  const auto lesser = [](std::uint64_t a, std::uint64_t b) { return std::min(a, b); };
  core_numbers result;
  for (;;) {
    auto finding = all_reduce(of, mine.least(), lesser);
    const std::uint64_t k = co_await finding;
    if (k == part::still_there) {
      break;
    }
    result.largest = k;
    mine.begin(k);
    for (bool more = true; more;) {
      const std::vector<std::uint64_t> leaving = std::exchange(mine.next, {});
      auto meeting = all_reduce(of, !leaving.empty(), std::logical_or<>{});
      more = co_await meeting;
      if (!more) {
        break;
      }
      detail::vertex_mail<part, std::uint64_t> mail{parts};
      for (const std::uint64_t offset : leaving) {
        const vertex_id v = mine.first + offset;
        for (const auto& each : g.neighbours(v)) {
          if (each.to != v) {
            mail.put(each.to, [](std::uint64_t at) { return at; });
          }
        }
      }
      mail.flush();
      auto ending = of.value.quiesce(where);
      co_await ending;
      ++result.rounds;
    }
  }
  auto giving = segments<std::uint64_t>::create(of, std::move(mine.numbers));
  result.numbers = co_await giving;
  co_return result;
}

}  // namespace lamellar
