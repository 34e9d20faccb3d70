// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/detail/sort_order.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <optional>
#include <source_location>
#include <utility>

// The least and the greatest element of a distributed range, and where they are; on every PE.
//
// Of several that are least, or greatest, the one with the least index: minmax_element() of the
// standard library gives the last of the greatest. The order is that of sort(): under less and
// greater NaNs come after all numbers. Nothing, if there are no elements.
//
// Collective; functions as <lamellar/algorithms/elementwise.hpp> says. Cost: n/P comparisons,
// a quiesce, an all_reduce. Threads: the body.
namespace lamellar {

/// An element and its index.
template <class T>
struct located_element {
  T value;
  std::uint64_t index;

  friend bool operator==(const located_element&, const located_element&) = default;
};

/// The element that would be the first if the range were sorted stably.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<std::optional<located_element<element_of<R>>>> min_element(
    const R& range, Compare compare = {}, Projection projection = {},
    std::source_location where = std::source_location::current());

/// The first of those that no element comes after.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<std::optional<located_element<element_of<R>>>> max_element(
    const R& range, Compare compare = {}, Projection projection = {},
    std::source_location where = std::source_location::current());

/// Both.
template <class T>
struct located_pair {
  located_element<T> min;
  located_element<T> max;

  friend bool operator==(const located_pair&, const located_pair&) = default;
};

/// min_element() and max_element() together, at the cost of one of them in messages.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<std::optional<located_pair<element_of<R>>>> minmax_element(
    const R& range, Compare compare = {}, Projection projection = {},
    std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// The one of two elements that comes first; of equal ones that with the smaller index.
template <class Before>
struct first_of_two {
  Before before;
  template <class T>
  located_element<T> operator()(located_element<T> a, located_element<T> b) const {
    const bool second =
        before(b.value, a.value) || (a.index > b.index && !before(a.value, b.value));
    return second ? b : a;
  }
};

template <class Order>
struct reversed_order {
  Order order;
  template <class T>
  bool operator()(const T& a, const T& b) const {
    return order(b, a);
  }
};

/// The place of the first element of those that come before all others.
template <class Before, class Elements>
std::optional<std::size_t> first_in_order(const on_node::execution& how,
                                          const Elements& elements, const Before& before) {
  const auto block = [&](std::size_t begin, std::size_t end) {
    std::size_t best = begin;
    for (std::size_t k = begin + 1; k < end; ++k) {
      if (before(elements[k], elements[best])) {
        best = k;
      }
    }
    return std::optional{best};
  };
  const auto join = [&](std::size_t a, std::size_t b) {
    return before(elements[b], elements[a]) ? b : a;
  };
  return on_node::reduce_blocks<std::size_t>(how, elements.size(), block, join);
}

template <class R, class Before>
task<std::optional<located_element<element_of<R>>>> extreme_element(
    const R& range, Before before, const char* what, std::source_location where) {
  using found = located_element<element_of<R>>;
  const auto work = [before](const on_node::execution& how, auto elements, const auto& index) {
    const auto at = first_in_order(how, elements, before);
    return at.has_value() ? std::optional{found{elements[*at], index(*at)}} : std::nullopt;
  };
  return read_segments<found>(range, work, first_of_two<Before>{before}, what, where);
}

}  // namespace detail

template <distributed_range R, class Compare, class Projection>
task<std::optional<located_element<element_of<R>>>> min_element(const R& range, Compare compare,
                                                                Projection projection,
                                                                std::source_location where) {
  const detail::sort_order<element_of<R>, Compare, Projection> order{std::move(compare),
                                                                     std::move(projection)};
  return detail::extreme_element(range, order, "lamellar::min_element", where);
}

template <distributed_range R, class Compare, class Projection>
task<std::optional<located_element<element_of<R>>>> max_element(const R& range, Compare compare,
                                                                Projection projection,
                                                                std::source_location where) {
  using order_type = detail::sort_order<element_of<R>, Compare, Projection>;
  const detail::reversed_order<order_type> order{{std::move(compare), std::move(projection)}};
  return detail::extreme_element(range, order, "lamellar::max_element", where);
}

template <distributed_range R, class Compare, class Projection>
task<std::optional<located_pair<element_of<R>>>> minmax_element(const R& range, Compare compare,
                                                                Projection projection,
                                                                std::source_location where) {
  using found = located_pair<element_of<R>>;
  using order_type = detail::sort_order<element_of<R>, Compare, Projection>;
  const order_type order{std::move(compare), std::move(projection)};
  const detail::reversed_order<order_type> reverse{order};
  const auto work = [order, reverse](const on_node::execution& how, auto elements,
                                     const auto& index) {
    const auto least = detail::first_in_order(how, elements, order);
    const auto greatest = detail::first_in_order(how, elements, reverse);
    return least.has_value() ? std::optional{found{{elements[*least], index(*least)},
                                                   {elements[*greatest], index(*greatest)}}}
                             : std::nullopt;
  };
  const auto join = [order, reverse](found a, found b) {
    return found{detail::first_of_two<order_type>{order}(std::move(a.min), std::move(b.min)),
                 detail::first_of_two<detail::reversed_order<order_type>>{reverse}(
                     std::move(a.max), std::move(b.max))};
  };
  return detail::read_segments<found>(range, work, join, "lamellar::minmax_element", where);
}

}  // namespace lamellar
