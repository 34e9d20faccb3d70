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
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <numeric>
#include <optional>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// How important the vertices of a graph are: where a walker is who follows edges at random, and
// now and then starts anew anywhere.
//
// Each PE sums up what its vertices give to each vertex of others, so that a round sends one
// number for each of these and PE. Several threads go over edges by the vertices that get, one
// by those that give: each sum is that of one thread, in the same order.
//
// Collective. Threads: the body; loops by all threads of a PE.
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
/// that it has edges to; two all_reduce. Memory: 4 bytes for each edge, with several threads
/// twice at the beginning, 24 for each vertex that a PE works with. The same in every run with
/// as many PEs. Requires: a frozen graph, the same options everywhere.
template <class V, class E>
task<page_ranks> page_rank(graph<V, E> g, page_rank_options options = {},
                           std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Let given[slot] be the sum of shares[v] over the edges to each slot. For one thread: turning
/// the edges round would take as long as some rounds.
inline void give(const graph_slots& edges, std::span<const double> shares,
                 std::span<double> given) {
  std::fill(given.begin(), given.end(), 0.0);
  for (std::size_t v = 0; v < edges.values.own(); ++v) {
    for (const std::uint32_t slot : edges.of(v)) {
      given[slot] += shares[v];
    }
  }
}

/// The own vertices that have edges to each slot, in order; turned round from graph_slots.
class slot_givers {
 public:
  explicit slot_givers(const graph_slots& edges) : begins_(edges.values.slots() + 1) {
    for (const std::uint32_t slot : edges.slots) {
      ++begins_[slot + 1];
    }
    std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
    givers_.resize(edges.slots.size());
    std::vector<std::uint64_t> next(begins_.begin(), begins_.end() - 1);
    for (std::size_t v = 0; v < edges.values.own(); ++v) {
      for (const std::uint32_t slot : edges.of(v)) {
        givers_[next[slot]++] = static_cast<std::uint32_t>(v);
      }
    }
  }

  /// The same as give(). Threads share the edges evenly, but for those of one slot.
  void add_up(const on_node::execution& how, std::span<const double> shares,
              std::span<double> given) const {
    const auto slot_at = [this](std::size_t edge) {
      return static_cast<std::size_t>(
          std::lower_bound(begins_.begin(), begins_.end() - 1, edge) - begins_.begin());
    };
    on_node::for_each_range(how, givers_.size(), [&](std::size_t begin, std::size_t end) {
      const std::size_t last = slot_at(end);
      for (std::size_t slot = slot_at(begin); slot < last; ++slot) {
        double sum = 0;
        for (std::uint64_t k = begins_[slot]; k < begins_[slot + 1]; ++k) {
          sum += shares[givers_[k]];
        }
        given[slot] = sum;
      }
    });
    // Those behind the last edge have no givers.
    std::fill(given.begin() + static_cast<std::ptrdiff_t>(slot_at(givers_.size())), given.end(),
              0.0);
  }

 private:
  std::vector<std::uint64_t> begins_;  // of each slot's givers, and the number of edges
  std::vector<std::uint32_t> givers_;
};

}  // namespace detail

template <class V, class E>
task<page_ranks> page_rank(graph<V, E> g, page_rank_options options,
                           std::source_location where) {
  const detail::located_team of{g.members(), where};
  detail::check_frozen(g, "page_rank", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto finding = detail::graph_slots::create(g, of);
  detail::graph_slots edges = co_await finding;
  const auto how = of.value.where().on_node();
  std::optional<detail::slot_givers> givers;
  if (how.threads() > 1) {
    givers.emplace(edges);
    edges.slots = {};
  }
  const std::size_t own = edges.values.own();
  const auto n = static_cast<double>(g.vertices());
  page_ranks result;
  std::vector<double> ranks(own, 1.0 / n);
  std::vector<double> shares(own);  // what each gives along an edge
  std::vector<double> given(edges.values.slots());
  while (result.rounds < options.rounds && g.vertices() != 0) {
    const auto share = [&](std::size_t v) {
      const std::uint64_t degree = edges.begins[v + 1] - edges.begins[v];
      shares[v] = degree == 0 ? 0 : ranks[v] / static_cast<double>(degree);
      return degree == 0 ? ranks[v] : 0;
    };
    const double stuck = on_node::reduce(how, own, 0.0, share, std::plus<>{});
    if (givers) {
      givers->add_up(how, shares, given);
    } else {
      detail::give(edges, shares, given);
    }
    auto giving = edges.values.give_back(std::span{given}, std::plus<>{});
    co_await giving;
    auto adding = all_reduce(of, stuck);
    const double stuck_everywhere = co_await adding;
    const double start = (1 - options.damping + options.damping * stuck_everywhere) / n;
    const auto renew = [&](std::size_t v) {
      const double before = std::exchange(ranks[v], start + options.damping * given[v]);
      return std::abs(ranks[v] - before);
    };
    const double change = on_node::reduce(how, own, 0.0, renew, std::plus<>{});
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
