// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <lamellar/algorithms/detail/row_in_order.hpp>
#include <lamellar/algorithms/detail/sort_order.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Set operations on two sorted distributed ranges of one team, by the names of <algorithm>, and
// with the same meaning where elements repeat: of m and n equal ones a union has max(m, n), an
// intersection min(m, n) from `a`, a difference max(m - n, 0).
//
// Equal elements of both ranges meet on one member, all of them: samples of both say which
// values each member gets. Nothing is sorted again, since what comes from one member after the
// other is in order. The result is sorted; its segments have the sizes that come out, and
// balance() evens them.
//
// Requires: both sorted by the same comparison and projection. Cost: n/P; each element travels
// once; a sample of 64 elements of each segment goes to all. Memory: the elements once more on
// the members that get them, and the result. Limit: where one value makes up much of a range,
// one member has all of it. Collective; begins with a quiesce of the team. Threads: the body.
namespace lamellar {

/// What is in `a` or in `b`.
template <distributed_range A, distributed_range B, class Compare = std::less<>,
          class Projection = std::identity>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_union(const A& a, const B& b, Compare compare = {}, Projection projection = {},
               std::source_location where = std::source_location::current())
    -> task<segments<element_of<A>>>;

/// What is in both.
template <distributed_range A, distributed_range B, class Compare = std::less<>,
          class Projection = std::identity>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_intersection(const A& a, const B& b, Compare compare = {}, Projection projection = {},
                      std::source_location where = std::source_location::current())
    -> task<segments<element_of<A>>>;

/// What is in `a` and not in `b`.
template <distributed_range A, distributed_range B, class Compare = std::less<>,
          class Projection = std::identity>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_difference(const A& a, const B& b, Compare compare = {}, Projection projection = {},
                    std::source_location where = std::source_location::current())
    -> task<segments<element_of<A>>>;

/// What is in one of them alone.
template <distributed_range A, distributed_range B, class Compare = std::less<>,
          class Projection = std::identity>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_symmetric_difference(const A& a, const B& b, Compare compare = {},
                              Projection projection = {},
                              std::source_location where = std::source_location::current())
    -> task<segments<element_of<A>>>;

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Up to `count` elements of a row, evenly spaced.
template <class T>
void take_sample(std::span<const T> row, std::size_t count, std::vector<T>& into) {
  count = std::min(count, row.size());
  for (std::size_t k = 0; k < count; ++k) {
    into.push_back(row[row.size() * k / count]);
  }
}

/// The least elements of all members but the first, such that about as many of the samples go
/// to each. Collective.
template <class T, class Order>
task<std::vector<T>> first_elements_of_members(located_team of, std::vector<T> sample,
                                               Order order) {
  auto gathering = all_gather(of, std::move(sample));
  std::vector<std::vector<T>> samples = co_await gathering;
  std::vector<T> all;
  for (std::vector<T>& each : samples) {
    std::move(each.begin(), each.end(), std::back_inserter(all));
  }
  std::sort(all.begin(), all.end(), order);
  std::vector<T> firsts;
  for (std::size_t k = 1; k < samples.size() && !all.empty(); ++k) {
    firsts.push_back(all[all.size() * k / samples.size()]);
  }
  co_return firsts;
}

template <class A, class B, class Order, class Join>
task<segments<element_of<A>>> join_sets(A first, B second, Order order, Join join,
                                        std::source_location where) {
  using T = element_of<A>;
  const A a = std::move(first);
  const B b = std::move(second);
  const located_team of{a.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(a, where);
  auto segment = co_await opening;
  auto opening_other = open_to_read(b, where);
  auto other = co_await opening_other;
  auto ordering = in_order(of, a, segment.local());
  const row_in_order<T> row = co_await ordering;
  auto ordering_other = in_order(of, b, other.local());
  const row_in_order<T> other_row = co_await ordering_other;
  std::vector<T> sample;
  constexpr std::size_t sampled = 64;
  take_sample(row.elements(), sampled, sample);
  take_sample(other_row.elements(), sampled, sample);
  auto choosing = first_elements_of_members(of, std::move(sample), order);
  const std::vector<T> firsts = co_await choosing;
  const auto owner = [&](const T& element) {
    const auto after = std::upper_bound(firsts.begin(), firsts.end(), element, order);
    return team_position{static_cast<std::uint32_t>(after - firsts.begin())};
  };
  auto moving = exchange_placed(of, row.elements(), owner);
  const auto got = co_await moving;
  auto moving_other = exchange_placed(of, other_row.elements(), owner);
  const auto got_other = co_await moving_other;
  other.close();
  segment.close();
  std::vector<T> result;
  join(std::span<const T>{got.data(), got.size()},
       std::span<const T>{got_other.data(), got_other.size()}, std::back_inserter(result),
       order);
  auto making = segments<T>::create(of, std::move(result));
  co_return co_await making;
}

}  // namespace detail

template <distributed_range A, distributed_range B, class Compare, class Projection>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_union(const A& a, const B& b, Compare compare, Projection projection,
               std::source_location where) -> task<segments<element_of<A>>> {
  const detail::sort_order<element_of<A>, Compare, Projection> order{std::move(compare),
                                                                     std::move(projection)};
  const auto join = [](auto x, auto y, auto to, const auto& by) {
    std::set_union(x.begin(), x.end(), y.begin(), y.end(), to, by);
  };
  return detail::join_sets(a, b, order, join, where);
}

template <distributed_range A, distributed_range B, class Compare, class Projection>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_intersection(const A& a, const B& b, Compare compare, Projection projection,
                      std::source_location where) -> task<segments<element_of<A>>> {
  const detail::sort_order<element_of<A>, Compare, Projection> order{std::move(compare),
                                                                     std::move(projection)};
  const auto join = [](auto x, auto y, auto to, const auto& by) {
    std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), to, by);
  };
  return detail::join_sets(a, b, order, join, where);
}

template <distributed_range A, distributed_range B, class Compare, class Projection>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_difference(const A& a, const B& b, Compare compare, Projection projection,
                    std::source_location where) -> task<segments<element_of<A>>> {
  const detail::sort_order<element_of<A>, Compare, Projection> order{std::move(compare),
                                                                     std::move(projection)};
  const auto join = [](auto x, auto y, auto to, const auto& by) {
    std::set_difference(x.begin(), x.end(), y.begin(), y.end(), to, by);
  };
  return detail::join_sets(a, b, order, join, where);
}

template <distributed_range A, distributed_range B, class Compare, class Projection>
  requires std::same_as<element_of<A>, element_of<B>>
auto set_symmetric_difference(const A& a, const B& b, Compare compare, Projection projection,
                              std::source_location where) -> task<segments<element_of<A>>> {
  const detail::sort_order<element_of<A>, Compare, Projection> order{std::move(compare),
                                                                     std::move(projection)};
  const auto join = [](auto x, auto y, auto to, const auto& by) {
    std::set_symmetric_difference(x.begin(), x.end(), y.begin(), y.end(), to, by);
  };
  return detail::join_sets(a, b, order, join, where);
}

}  // namespace lamellar
