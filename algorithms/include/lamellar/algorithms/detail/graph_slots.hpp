// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/bit_set.hpp>
#include <lamellar/containers/detail/halo.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <span>
#include <utility>
#include <vector>

// The edges of a PE's vertices as slots: places in a row of values of all vertices that this PE
// works with. For algorithms that pass over all edges again and again.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// Ends the job: a PE works with so many vertices that their slots are no numbers of 32 bits.
[[noreturn]] void too_many_slots(const located_team& of, std::uint64_t slots);

struct graph_slots {
  halo values;
  std::vector<std::uint64_t> begins;  // of each own vertex' edges, and the number of all
  std::vector<std::uint32_t> slots;   // to which edges go

  std::span<const std::uint32_t> of(std::size_t vertex) const {
    return {slots.data() + begins[vertex], begins[vertex + 1] - begins[vertex]};
  }

  /// Collective.
  template <class V, class E>
  static task<graph_slots> create(graph<V, E> g, located_team of) {
    bit_set ghosts{g.vertices()};
    std::size_t edges = 0;
    for (const vertex_id v : g.local_vertices()) {
      for (const auto& each : g.neighbours(v)) {
        if (!g.is_local(each.to)) {
          ghosts.insert(each.to);
        }
        ++edges;
      }
    }
    graph_slots made;
    auto making = halo::create(of, g.layout(), std::move(ghosts));
    made.values = co_await making;
    if (made.values.slots() > std::uint64_t{1} << 32) [[unlikely]] {
      too_many_slots(of, made.values.slots());
    }
    made.slots.reserve(edges);
    made.begins.push_back(0);
    for (const vertex_id v : g.local_vertices()) {
      for (const auto& each : g.neighbours(v)) {
        made.slots.push_back(static_cast<std::uint32_t>(made.values.slot(each.to)));
      }
      made.begins.push_back(made.slots.size());
    }
    co_return made;
  }
};

}  // namespace lamellar::detail
