// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/detail/sort_steps.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Two sorted distributed ranges of one team as one.
//
// Collective; begins with a quiesce of the team. Threads: the body.
namespace lamellar {

/// The elements of both, sorted, in even segments; of equal ones those of `a` come first, each
/// range's in their order.
///
/// Requires: both are sorted by the same comparison and projection. Cost: n/P; each element
/// travels once, with its index, and is compared with about 20 others to find where the
/// segments end. Memory: elements and indices twice, and the result.
template <distributed_range A, distributed_range B, class Compare = std::less<>,
          class Projection = std::identity>
  requires std::same_as<element_of<A>, element_of<B>>
auto merge(const A& a, const B& b, Compare compare = {}, Projection projection = {},
           std::source_location where = std::source_location::current())
    -> task<segments<element_of<A>>>;

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Bring what has an index below `limit` before the rest, and each in the order of indices.
template <class T>
std::size_t split_by_index(std::span<keyed<T, std::uint64_t>> items, std::uint64_t limit) {
  const auto by_index = [](const auto& x, const auto& y) { return x.value < y.value; };
  const auto middle = std::stable_partition(
      items.begin(), items.end(), [limit](const auto& each) { return each.value < limit; });
  // They are in order already, unless indices are dealt out.
  if (!std::is_sorted(items.begin(), middle, by_index)) {
    std::sort(items.begin(), middle, by_index);
  }
  if (!std::is_sorted(middle, items.end(), by_index)) {
    std::sort(middle, items.end(), by_index);
  }
  return static_cast<std::size_t>(middle - items.begin());
}

template <class A, class B, class Compare, class Projection>
task<segments<element_of<A>>> merge_ranges(A first, B second, Compare compare,
                                           Projection projection, std::source_location where) {
  using T = element_of<A>;
  using item = keyed<T, std::uint64_t>;
  const A a = std::move(first);
  const B b = std::move(second);
  const located_team of{a.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  std::vector<item> both;
  auto opening = open_to_read(a, where);
  auto segment = co_await opening;
  auto opening_other = open_to_read(b, where);
  auto other = co_await opening_other;
  both.reserve(segment.local().size() + other.local().size());
  const auto index = indices_of(a, place_in(of.value, segment_begins(a)).begin);
  for (std::size_t k = 0; k < segment.local().size(); ++k) {
    both.push_back({segment.local()[k], index(k)});
  }
  const auto other_index = indices_of(b, place_in(of.value, segment_begins(b)).begin);
  for (std::size_t k = 0; k < other.local().size(); ++k) {
    both.push_back({other.local()[k], a.size() + other_index(k)});
  }
  other.close();
  segment.close();
  const layout::block shares{a.size() + b.size(), of.value.size()};
  std::vector<std::uint64_t> begins;
  for (std::uint32_t k = 0; k <= of.value.size(); ++k) {
    begins.push_back(shares.first(k));
  }
  const keyed_order<T, std::uint64_t, Compare, Projection> by{std::move(compare),
                                                              {std::move(projection)}};
  const std::span<item> items{both};
  const auto tie = [items](std::size_t k) { return items[k].value; };
  auto bringing =
      bring_in_order(of, items, by, std::uint32_t{0}, tie, std::move(begins), travels_alone{});
  exchanged_items<item> got = co_await bringing;
  both.clear();
  const std::span<item> here{got.data(), got.size()};
  const std::size_t middle = split_by_index<T>(here, a.size());
  std::vector<T> merged;
  merged.reserve(here.size());
  for (std::size_t i = 0, j = middle; i < middle || j < here.size();) {
    const bool second_first = i == middle || (j < here.size() && by(here[j], here[i]));
    merged.push_back(std::move(here[second_first ? j++ : i++].key));
  }
  auto making = segments<T>::create(of, std::move(merged));
  co_return co_await making;
}

}  // namespace detail

template <distributed_range A, distributed_range B, class Compare, class Projection>
  requires std::same_as<element_of<A>, element_of<B>>
auto merge(const A& a, const B& b, Compare compare, Projection projection,
           std::source_location where) -> task<segments<element_of<A>>> {
  return detail::merge_ranges(a, b, std::move(compare), std::move(projection), where);
}

}  // namespace lamellar
