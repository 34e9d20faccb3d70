// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <lamellar/algorithms/detail/row_in_order.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <mutex>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// The elements of a distributed range without those that repeat the one before them.
//
// A range cannot become shorter, so this gives a new one, and the old one stays as it is: of a
// sorted range, every value once.
//
// Collective; begins with a quiesce of the team. Requires: functions do not throw, and
// may be called by several threads. Threads: the body; all threads of a PE compare.
namespace lamellar {

/// The first of each row of elements with equal projections, in order. Each stays on the member
/// that has it; balance() spreads them evenly.
///
/// Requires: `equal` is an equivalence. Cost: n/P, an exclusive scan of one element of each
/// member; where the order of indices is not that of the segments, all elements travel once.
/// Memory: the result.
template <distributed_range R, class Equal = std::equal_to<>, class Projection = std::identity>
task<segments<element_of<R>>> unique(
    const R& range, Equal equal = {}, Projection projection = {},
    std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// The elements of a row that differ from the one before, which `last` is for the first. Each
/// thread goes over a stretch of them.
template <class T, class Same>
std::vector<T> distinct_neighbours(const on_node::execution& how, std::span<const T> row,
                                   const last_element<T>& last, const Same& same) {
  struct stretch {
    std::size_t begin;
    std::vector<T> kept;
  };
  std::vector<stretch> stretches;
  std::mutex adding;  // guards stretches
  on_node::for_each_range(how, row.size(), [&](std::size_t begin, std::size_t end) {
    std::vector<T> kept;
    const T* before = begin != 0 ? &row[begin - 1] : last.some ? &last.value : nullptr;
    for (const T& each : row.subspan(begin, end - begin)) {
      if (before == nullptr || !same(*before, each)) {
        kept.push_back(each);
      }
      before = &each;
    }
    const std::lock_guard held{adding};
    stretches.push_back({begin, std::move(kept)});
  });
  std::sort(stretches.begin(), stretches.end(),
            [](const stretch& a, const stretch& b) { return a.begin < b.begin; });
  std::vector<T> all;
  for (stretch& each : stretches) {
    if (all.empty()) {
      all = std::move(each.kept);
    } else {
      all.insert(all.end(), std::make_move_iterator(each.kept.begin()),
                 std::make_move_iterator(each.kept.end()));
    }
  }
  return all;
}

template <class R, class Equal, class Projection>
task<segments<element_of<R>>> unique_range(R range, Equal equal, Projection projection,
                                           std::source_location where) {
  using T = element_of<R>;
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  auto gathering = in_order(of, mine, segment.local());
  const row_in_order<T> row = co_await gathering;
  auto asking = element_before(of, row.elements());
  const last_element<T> last = co_await asking;
  const auto same = [&](const T& a, const T& b) {
    return std::invoke(equal, std::invoke(projection, a), std::invoke(projection, b));
  };
  std::vector<T> kept =
      distinct_neighbours(of.value.where().on_node(), row.elements(), last, same);
  segment.close();
  auto making = segments<T>::create(of, std::move(kept));
  co_return co_await making;
}

}  // namespace detail

template <distributed_range R, class Equal, class Projection>
task<segments<element_of<R>>> unique(const R& range, Equal equal, Projection projection,
                                     std::source_location where) {
  return detail::unique_range(range, std::move(equal), std::move(projection), where);
}

}  // namespace lamellar
