// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/breadth_first_search.hpp>
#include <lamellar/algorithms/detail/graph_steps.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/task.hpp>
#include <limits>
#include <map>
#include <mutex>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// Shortest paths from one vertex, where edges have weights that are not negative: by
// delta-stepping. Vertices lie in buckets by distance, each `delta` wide; the nearest bucket is
// worked off in rounds, first by edges of up to delta, until it stays empty, then by the longer
// ones. With an infinite delta there is one bucket: that is the method of Bellman and Ford.
//
// Collective. Threads: the body; one thread of each PE.
// Source: U. Meyer, P. Sanders, "Delta-stepping: a parallelizable shortest path algorithm",
// 2003.
namespace lamellar {

/// An edge has a weight that is negative, or no number.
class bad_weight : public error {
 public:
  using error::error;
};

/// Distances are sums of weights: of 64 bits, or double.
template <class Weight>
using distance_of = std::conditional_t<std::is_floating_point_v<Weight>, double, std::uint64_t>;

template <class Distance>
struct shortest_path_tree {
  static constexpr Distance unreached = std::numeric_limits<Distance>::max();

  segments<Distance> distances;  ///< of each vertex, in order; unreached: there is no path
  /// The vertex before each one on a shortest path; of the start, itself; no_vertex: not
  /// reached. Of several shortest paths it is that of any.
  segments<vertex_id> parents;
  std::uint64_t reached = 0;  ///< vertices, the start among them
  std::uint64_t rounds = 0;   ///< each with a quiesce
};

/// The weight of an edge: its data if they are a number, else 1.
struct edge_weight {
  template <class EdgeData>
  auto operator()(const EdgeData& data) const {
    if constexpr (std::is_arithmetic_v<EdgeData>) {
      return data;
    } else {
      return std::uint32_t{1};
    }
  }
};

/// The distances from `start`; `weight(edge data)` gives a number. Begins with a quiesce of the
/// team. `delta` 0: the largest weight over the mean degree.
///
/// Cost: a record of 24 bytes for an edge to another PE each time the vertex before it gets
/// nearer, a quiesce and an all_reduce a round. Memory: 25 bytes for each own vertex. Requires:
/// a frozen graph, the same arguments everywhere, sums that do not overflow. Throws, on all
/// members: bad_weight.
template <class V, class E, class Weight = edge_weight>
auto shortest_paths(graph<V, E> g, vertex_id start, double delta = 0, Weight weight = {},
                    std::source_location where = std::source_location::current())
    -> task<shortest_path_tree<distance_of<std::invoke_result_t<Weight&, const E&>>>>;

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

template <class D>
struct distance_record {
  std::uint64_t offset;
  vertex_id from;
  D distance;
};

template <class D>
struct distance_part : round_part {
  static constexpr D unreached = shortest_path_tree<D>::unreached;
  static constexpr std::uint64_t no_bucket = std::numeric_limits<std::uint64_t>::max();

  using round_part::round_part;

  std::uint64_t bucket_of(D distance) const {
    const double number = static_cast<double>(distance) / delta;  // 0, if delta is infinite
    constexpr double last = 0x1p62;
    return static_cast<std::uint64_t>(std::min(number, last));
  }
  void take(std::span<const distance_record<D>> records) {
    for (const auto& [offset, from, distance] : records) {
      if (distance < distances[offset]) {
        distances[offset] = distance;
        parents[offset] = from;
        buckets[bucket_of(distance)].push_back(offset);
      }
    }
  }
  std::uint64_t nearest() const { return buckets.empty() ? no_bucket : buckets.begin()->first; }
  /// The vertices of a bucket that are in it still, each once, and were not worked off at the
  /// distance that they have. Members that are ahead send records already.
  std::vector<std::uint64_t> open(std::uint64_t bucket) {
    const std::lock_guard held{lock};
    std::vector<std::uint64_t> found;
    const auto at = buckets.find(bucket);
    if (at == buckets.end()) {
      return found;
    }
    for (const std::uint64_t offset : at->second) {
      if (bucket_of(distances[offset]) == bucket && distances[offset] < done[offset]) {
        done[offset] = distances[offset];
        found.push_back(offset);
      }
    }
    buckets.erase(at);
    return found;
  }

  double delta = 0;
  std::vector<D> distances = std::vector<D>(own, unreached);
  std::vector<vertex_id> parents = std::vector<vertex_id>(own, no_vertex);
  std::vector<D> done = std::vector<D>(own, unreached);  // the distance last worked off
  std::map<std::uint64_t, std::vector<std::uint64_t>> buckets;
};

/// What all members know of the weights.
struct weight_range {
  double largest = 0;
  std::uint64_t bad = 0;
};

/// Go along the edges of some vertices for whose weight `wanted` is true.
template <class V, class E, class D, class Weight, class Wanted>
void relax(const graph<V, E>& g, const darc<distance_part<D>>& parts,
           std::span<const std::uint64_t> offsets, Weight& weight, Wanted wanted) {
  distance_part<D>& mine = *parts;
  vertex_mail<distance_part<D>, distance_record<D>> mail{parts};
  for (const std::uint64_t offset : offsets) {
    const vertex_id v = mine.first + offset;
    const D before = mine.done[offset];
    for (const auto& each : g.neighbours(v)) {
      const auto length = weight(each.data);
      if (wanted(static_cast<double>(length))) {
        const D distance = before + static_cast<D>(length);
        mail.put(each.to, [&](std::uint64_t at) {
          return distance_record<D>{at, v, distance};
        });
      }
    }
  }
  mail.flush();
}

template <class V, class E, class Weight>
task<double> choose_delta(graph<V, E> g, located_team of, double delta, Weight weight) {
  weight_range mine;
  for (const vertex_id v : g.local_vertices()) {
    for (const auto& each : g.neighbours(v)) {
      const auto length = static_cast<double>(weight(each.data));
      mine.largest = std::max(mine.largest, length);
      mine.bad += length >= 0 ? 0 : 1;
    }
  }
  const auto join = [](const weight_range& a, const weight_range& b) {
    return weight_range{std::max(a.largest, b.largest), a.bad + b.bad};
  };
  auto joining = all_reduce(of, mine, join);
  const weight_range all = co_await joining;
  if (all.bad != 0) {
    throw bad_weight{"shortest_paths: the weights of " + std::to_string(all.bad) +
                     " edges are negative, or no numbers; they must be 0 or more"};
  }
  if (delta > 0) {
    co_return delta;
  }
  const double degree = static_cast<double>(g.edges()) / static_cast<double>(g.vertices());
  const double fair = all.largest / std::max(degree, 1.0);
  co_return fair > 0 ? fair : 1.0;
}

}  // namespace detail

template <class V, class E, class Weight>
auto shortest_paths(graph<V, E> g, vertex_id start, double delta, Weight weight,
                    std::source_location where)
    -> task<shortest_path_tree<distance_of<std::invoke_result_t<Weight&, const E&>>>> {
  using D = distance_of<std::invoke_result_t<Weight&, const E&>>;
  using part = detail::distance_part<D>;
  const detail::located_team of{g.members(), where};
  detail::check_start(g, start, "shortest_paths", where);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto choosing = detail::choose_delta(g, of, delta, weight);
  const double width = co_await choosing;
  auto making = darc<part>::create(of, of.value, g.layout());
  const darc<part> parts = co_await making;
  part& mine = *parts;
  mine.delta = width;
  if (g.is_local(start)) {
    const detail::distance_record<D> first{start - mine.first, start, D{0}};
    mine.take({&first, 1});
  }
  const auto lesser = [](std::uint64_t a, std::uint64_t b) { return std::min(a, b); };
  shortest_path_tree<D> tree;
  std::uint64_t bucket = part::no_bucket;  // that is being worked off
  std::vector<std::uint64_t> settled;      // its vertices, some of them more than once
  for (;;) {
    auto agreeing = all_reduce(of, mine.nearest(), lesser);
    const std::uint64_t nearest = co_await agreeing;
    if (nearest != bucket && bucket != part::no_bucket) {
      // It stays empty: now the long edges, which lead to later ones.
      std::sort(settled.begin(), settled.end());
      settled.erase(std::unique(settled.begin(), settled.end()), settled.end());
      detail::relax(g, parts, settled, weight, [width](double w) { return w > width; });
      settled.clear();
      bucket = part::no_bucket;
    } else if (nearest == part::no_bucket) {
      break;
    } else {
      bucket = nearest;
      const std::vector<std::uint64_t> open = mine.open(bucket);
      detail::relax(g, parts, open, weight, [width](double w) { return w <= width; });
      settled.insert(settled.end(), open.begin(), open.end());
    }
    auto ending = of.value.quiesce(where);
    co_await ending;
    ++tree.rounds;
  }
  const auto here = static_cast<std::uint64_t>(
      std::count_if(mine.parents.begin(), mine.parents.end(),
                    [](vertex_id each) { return each != no_vertex; }));
  auto counting = all_reduce(of, here);
  tree.reached = co_await counting;
  auto giving = segments<D>::create(of, std::move(mine.distances));
  tree.distances = co_await giving;
  auto giving_parents = segments<vertex_id>::create(of, std::move(mine.parents));
  tree.parents = co_await giving_parents;
  co_return tree;
}

}  // namespace lamellar
