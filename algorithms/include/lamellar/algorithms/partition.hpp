// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/reduce.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <utility>

// Elements that are such as one wants before all others.
//
// Collective; functions as <lamellar/algorithms/sort.hpp> says. Threads: the body.
namespace lamellar {

/// Bring all elements with predicate(projection(element)) before the others; both kinds stay in
/// the order in which they were. Returns how many there are, on every PE: they have the indices
/// below that.
///
/// Cost: a stable sort by one bit; every segment keeps its size. The predicate is called a few
/// times for each element.
template <writable_range R, class Predicate, class Projection = std::identity>
task<std::uint64_t> stable_partition(
    const R& range, Predicate predicate, Projection projection = {},
    std::source_location where = std::source_location::current());

/// The same, in any order.
template <writable_range R, class Predicate, class Projection = std::identity>
task<std::uint64_t> partition(const R& range, Predicate predicate, Projection projection = {},
                              std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// 0 for what comes first.
template <class Predicate, class Projection>
struct side_of {
  Predicate predicate;
  Projection projection;
  template <class T>
  std::uint8_t operator()(const T& element) const {
    return std::invoke(predicate, std::invoke(projection, element)) ? 0 : 1;
  }
};

template <bool Stable, class R, class Side>
task<std::uint64_t> partition_range(R range, Side side, std::source_location where) {
  const R mine = std::move(range);
  const auto first = [side](const auto& element) { return side(element) == 0; };
  auto counting = lamellar::count_if(mine, first, std::identity{}, where);
  const std::uint64_t count = co_await counting;
  if constexpr (Stable) {
    auto sorting = lamellar::stable_sort(mine, std::less<>{}, side, where);
    co_await sorting;
  } else {
    auto sorting = lamellar::sort(mine, std::less<>{}, side, where);
    co_await sorting;
  }
  co_return count;
}

}  // namespace detail

template <writable_range R, class Predicate, class Projection>
task<std::uint64_t> stable_partition(const R& range, Predicate predicate, Projection projection,
                                     std::source_location where) {
  const detail::side_of<Predicate, Projection> side{std::move(predicate),
                                                    std::move(projection)};
  return detail::partition_range<true>(range, side, where);
}

template <writable_range R, class Predicate, class Projection>
task<std::uint64_t> partition(const R& range, Predicate predicate, Projection projection,
                              std::source_location where) {
  const detail::side_of<Predicate, Projection> side{std::move(predicate),
                                                    std::move(projection)};
  return detail::partition_range<false>(range, side, where);
}

}  // namespace lamellar
