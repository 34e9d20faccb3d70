// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Some elements of a distributed range, chosen at random.
//
// Collective; begins with a quiesce of the team. Threads: the body.
namespace lamellar {

/// `count` different elements, each as likely as any other, or all if there are no more; in the
/// order of their indices, on every PE. `seed` alone says which: they are the same on any
/// number of PEs and in any layout.
///
/// Cost: O(count) on every PE, count / P log(n / P) to find them, an all_gather of the result.
/// Memory: O(count). Requires: the same count and seed everywhere. Source: Floyd.
template <distributed_range R>
task<std::vector<element_of<R>>> sample(
    const R& range, std::uint64_t count, std::uint64_t seed,
    std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// An element that was chosen, and the how manieth of them it is.
template <class T>
struct chosen_element {
  T value;
  std::uint64_t place;
};

template <class R>
task<std::vector<element_of<R>>> sample_range(R range, std::uint64_t count, std::uint64_t seed,
                                              std::source_location where) {
  using T = element_of<R>;
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  const std::vector<std::uint64_t> wanted =
      distinct_numbers(mine.size(), std::min<std::uint64_t>(count, mine.size()), seed);
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const std::span<const T> local = segment.local();
  const auto index = indices_of(mine, place_in(of.value, segment_begins(mine)).begin);
  std::vector<chosen_element<T>> share;
  // Both lists ascend.
  std::size_t at = 0;
  for (std::size_t j = 0; j < wanted.size() && !local.empty(); ++j) {
    std::size_t end = local.size();
    while (at < end) {
      const std::size_t middle = at + (end - at) / 2;
      if (index(middle) < wanted[j]) {
        at = middle + 1;
      } else {
        end = middle;
      }
    }
    if (at == local.size()) {
      break;
    }
    if (index(at) == wanted[j]) {
      share.push_back({local[at], j});
    }
  }
  segment.close();
  auto gathering = all_gather(of, std::move(share));
  auto shares = co_await gathering;
  std::vector<T> result(wanted.size());
  for (auto& each : shares) {
    for (chosen_element<T>& one : each) {
      result[one.place] = std::move(one.value);
    }
  }
  co_return result;
}

}  // namespace detail

template <distributed_range R>
task<std::vector<element_of<R>>> sample(const R& range, std::uint64_t count, std::uint64_t seed,
                                        std::source_location where) {
  return detail::sample_range(range, count, seed, where);
}

}  // namespace lamellar
