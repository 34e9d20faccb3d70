// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <string>

// What a collective algorithm costs in messages, bytes, rounds and memory: said beforehand, for
// any number of elements and PEs, and counted while it runs.
//
//   fmt::print("{}\n", text_of(explain_sort({.elements = n, .element_bytes = 8, .pes = 64})));
//
// The predictions are for elements in random order, spread evenly, and for PEs none of which
// has the memory of another mapped, as on as many hosts; what is mapped is copied without a
// message. Nothing communicates here but counted_cost().
//
// Thread-safety: pure functions; counted_cost(): the body.
namespace lamellar {

/// What a cost depends on.
struct job_shape {
  std::uint64_t elements = 0;       ///< of the whole range
  std::uint64_t element_bytes = 8;  ///< of each, as it travels
  std::uint32_t pes = 1;
  std::uint64_t buffer_bytes = 8192;  ///< LAMELLAR_BUFFER_BYTES
};

/// What an algorithm costs.
struct algorithm_cost {
  std::uint64_t messages = 0;      ///< buffers sent, by all PEs together
  std::uint64_t bytes = 0;         ///< in them
  std::uint64_t rounds = 0;        ///< messages that wait for each other, one after the other
  std::uint64_t memory_bytes = 0;  ///< of one PE beside the range, at most at a time

  friend bool operator==(const algorithm_cost&, const algorithm_cost&) = default;
};

/// An inclusive or exclusive scan of a range whose segments are in the order of its indices.
algorithm_cost explain_scan(const job_shape& job);
/// An exchange of all elements to random PEs: exchange_placed(), and exchange() into a range.
algorithm_cost explain_exchange(const job_shape& job);
/// A sort of numbers of 1 to 8 bytes, or of elements by such a key, in segments that are in the
/// order of indices.
algorithm_cost explain_sort(const job_shape& job);

/// A cost in words.
std::string text_of(const algorithm_cost& cost);

/// The shape of a range's job, for elements without memory of their own.
template <distributed_range R>
job_shape shape_of(const R& range) {
  return {range.size(), sizeof(element_of<R>), range.members().size()};
}

/// Run `work` and count what all members of a team have sent to other PEs meanwhile: messages
/// and bytes, of anything. Collective. Cost: two quiesces, and an all_reduce.
///
/// Requires: LAMELLAR_STATISTICS=1; else there is nothing counted. `rounds` and `memory_bytes`
/// cannot be seen from inside a job, and are 0.
task<algorithm_cost> counted_cost(detail::located_team of, task<> work);

}  // namespace lamellar
