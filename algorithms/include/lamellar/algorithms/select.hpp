// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/detail/sort_steps.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <numeric>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Elements by their rank among all elements of a distributed range, which stays as it is:
// what would be at some places if the range were sorted, without sorting it.
//
// Cost: a pass over the elements, and 3 to 5 rounds of an all_gather of samples and an
// all_reduce, as at the beginning of sort(); nothing else moves. Memory: a few hundredths of
// the elements, as indices. Collective; they begin with a quiesce of the team. The order is
// that of sort(), NaNs included; comparisons and projections do not throw.
//
// Thread-safety: the body.
namespace lamellar {

/// The elements that sort() would put at the places `ranks`, in the order of the list; on every
/// PE. Of equal elements, any. Collective.
///
/// Requires: the same list on all PEs. Misuse: a rank that is size() or more.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<std::vector<element_of<R>>> nth_elements(
    const R& range, std::vector<std::uint64_t> ranks, Compare compare = {},
    Projection projection = {}, std::source_location where = std::source_location::current());

/// The element that sort() would put at place `rank`; on every PE. Collective.
///
/// Misuse: rank >= size().
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<element_of<R>> nth_element(const R& range, std::uint64_t rank, Compare compare = {},
                                Projection projection = {},
                                std::source_location where = std::source_location::current());

/// For each share, the least element that at least so many hundredths, written 0.5 for a half,
/// of the elements do not come after: 0 gives the first in order, 0.5 the lower median, 1 the
/// last. Exact, and elements of the range. Collective.
///
/// Requires: the same list on all PEs, of shares from 0 to 1. Misuse: an empty range.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<std::vector<element_of<R>>> quantiles(
    const R& range, std::vector<double> shares, Compare compare = {},
    Projection projection = {}, std::source_location where = std::source_location::current());

/// The `count` elements that come first in order, sorted, or all if there are fewer; on every
/// PE. `top_k(a, 10, std::greater<>{})` are the ten greatest. Collective.
///
/// Cost: as nth_element(), and an all_gather of the result. Memory: the result, on every PE.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<std::vector<element_of<R>>> top_k(
    const R& range, std::uint64_t count, Compare compare = {}, Projection projection = {},
    std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Ends the job: there is no element of this rank.
[[noreturn]] void no_such_rank(const engine* at, const char* what, std::uint64_t rank,
                               std::uint64_t size, std::source_location where);

/// An element that was found, and for which place of the result.
template <class T>
struct found_element {
  T value;
  std::uint64_t place;
};

/// Requires: ranks are below of.size().
template <class R, class Compare, class Projection>
task<std::vector<element_of<R>>> select_elements(R range, std::vector<std::uint64_t> ranks,
                                                 Compare compare, Projection projection,
                                                 const char* what, std::source_location where) {
  using T = element_of<R>;
  using order_type = sort_order<T, Compare, Projection>;
  const R mine = std::move(range);
  const order_type order{std::move(compare), std::move(projection)};
  const located_team of{mine.members(), where};
  for (const std::uint64_t rank : ranks) {
    if (rank >= mine.size()) {
      no_such_rank(&engine_of(of.value.where()), what, rank, mine.size(), where);
    }
  }
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const std::span<const T> local = segment.local();
  std::vector<std::size_t> places(ranks.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::sort(places.begin(), places.end(),
            [&ranks](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
  std::vector<std::uint64_t> ascending;
  for (const std::size_t place : places) {
    ascending.push_back(ranks[place]);
  }
  using items = sort_items<T, order_type, tie_by_place>;
  const std::uint32_t here = of.value.position().index();
  const items own{local, order, here, tie_by_place{}};
  auto searching = find_splitters(of, own, std::move(ascending), mine.size());
  const auto splitters = co_await searching;
  // Who has an element tells the others.
  std::vector<found_element<T>> share;
  for (std::size_t k = 0; k < splitters.size(); ++k) {
    if (splitters[k].at.part == here) {
      share.push_back({local[splitters[k].at.tie], places[k]});
    }
  }
  segment.close();
  auto gathering = all_gather(of, std::move(share));
  auto shares = co_await gathering;
  std::vector<T> result(ranks.size());
  for (auto& each : shares) {
    for (found_element<T>& one : each) {
      result[one.place] = std::move(one.value);
    }
  }
  co_return result;
}

template <class T>
task<T> only_one(task<std::vector<T>> selecting) {
  std::vector<T> all = co_await selecting;
  co_return std::move(all.front());
}

template <class R, class Compare, class Projection>
task<std::vector<element_of<R>>> first_elements(R range, std::uint64_t count, Compare compare,
                                                Projection projection,
                                                std::source_location where) {
  using T = element_of<R>;
  using order_type = sort_order<T, Compare, Projection>;
  const R mine = std::move(range);
  const order_type order{std::move(compare), std::move(projection)};
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const std::span<const T> local = segment.local();
  std::vector<T> share;
  if (count >= mine.size()) {
    share.assign(local.begin(), local.end());
  } else if (count != 0) {
    // All before the first one that does not belong to them.
    using items = sort_items<T, order_type, tie_by_place>;
    const items own{local, order, of.value.position().index(), tie_by_place{}};
    auto searching = find_splitters(of, own, {count}, mine.size());
    const auto splitters = co_await searching;
    cuts<items> between{own};
    between.add(splitters.front().at);
    share.reserve(splitters.front().own_before);
    between.each(
        local.size(), [](std::size_t j) { return j; },
        [&](std::size_t k, std::size_t cell) {
          if (cell == 0) {
            share.push_back(local[k]);
          }
        });
  }
  segment.close();
  auto gathering = all_gather(of, std::move(share));
  auto shares = co_await gathering;
  std::vector<T> result;
  for (std::vector<T>& each : shares) {
    result.insert(result.end(), std::make_move_iterator(each.begin()),
                  std::make_move_iterator(each.end()));
  }
  std::stable_sort(result.begin(), result.end(), order);
  co_return result;
}

}  // namespace detail

template <distributed_range R, class Compare, class Projection>
task<std::vector<element_of<R>>> nth_elements(const R& range, std::vector<std::uint64_t> ranks,
                                              Compare compare, Projection projection,
                                              std::source_location where) {
  return detail::select_elements(range, std::move(ranks), std::move(compare),
                                 std::move(projection), "nth_elements", where);
}

template <distributed_range R, class Compare, class Projection>
task<element_of<R>> nth_element(const R& range, std::uint64_t rank, Compare compare,
                                Projection projection, std::source_location where) {
  return detail::only_one(detail::select_elements(range, std::vector<std::uint64_t>{rank},
                                                  std::move(compare), std::move(projection),
                                                  "nth_element", where));
}

template <distributed_range R, class Compare, class Projection>
task<std::vector<element_of<R>>> quantiles(const R& range, std::vector<double> shares,
                                           Compare compare, Projection projection,
                                           std::source_location where) {
  std::vector<std::uint64_t> ranks;
  const auto n = static_cast<double>(range.size());
  for (const double share : shares) {
    const double first = std::ceil(share * n) - 1;
    const auto last = static_cast<std::uint64_t>(range.size() == 0 ? 0 : range.size() - 1);
    ranks.push_back(first <= 0 ? 0 : std::min(static_cast<std::uint64_t>(first), last));
  }
  return detail::select_elements(range, std::move(ranks), std::move(compare),
                                 std::move(projection), "quantiles", where);
}

template <distributed_range R, class Compare, class Projection>
task<std::vector<element_of<R>>> top_k(const R& range, std::uint64_t count, Compare compare,
                                       Projection projection, std::source_location where) {
  return detail::first_elements(range, count, std::move(compare), std::move(projection), where);
}

}  // namespace lamellar
