// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/item_route.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>

// Items of all members brought to where they are wanted, as elements of a distributed range:
// the exchange of <lamellar/substrate/exchange.hpp>, which gives them to a function or in an
// array of each PE, with a range at its end. A route says where an item goes, and what travels
// in its place.
//
// Collective. Threads: the body. Source: MPI_Alltoallv; YGM's and BCL's many-to-many.
namespace lamellar {

/// What every member has in `items`, brought to the members that route(item) or
/// route(item, index) names: there a segment of each, sources in order of position, the items
/// of each in the order that they had.
///
/// `items` is an lvalue or a view, and stays as it is until the task has ended. Cost, memory
/// and errors: those of exchange_placed(), and an all_gather of a number.
template <exchangeable_range Items, item_route<std::ranges::range_value_t<Items>> Route>
auto exchange(detail::located_team of, Items&& items, Route route)
    -> task<segments<travelling_item<Route, std::ranges::range_value_t<Items>>>>;

/// The same for the elements of a distributed range, which stays as it is; the index that a
/// route gets is that of the element in the range.
///
/// Cost: a quiesce in addition; the range's lock is held.
template <distributed_range R, item_route<element_of<R>> Route>
auto exchange(const R& range, Route route,
              std::source_location where = std::source_location::current())
    -> task<segments<travelling_item<Route, element_of<R>>>>;

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

template <class T, class Route>
task<segments<travelling_item<Route, T>>> exchange_items(located_team of,
                                                         std::span<const T> items,
                                                         Route route) {
  auto moving = exchange_placed(of, items, std::move(route));
  auto got = co_await moving;
  auto making = segments<travelling_item<Route, T>>::create(of, to_vector(std::move(got)));
  co_return co_await making;
}

template <class R, class Route>
task<segments<travelling_item<Route, element_of<R>>>> exchange_range(
    R range, Route route, std::source_location where) {
  using T = element_of<R>;
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const auto index = indices_of(mine, place_in(of.value, segment_begins(mine)).begin);
  const auto with_index = [&route, &index](const T& item, std::size_t k) {
    return route_of(route, item, index(k));
  };
  auto moving = exchange_placed(of, segment.local(), with_index);
  auto got = co_await moving;
  segment.close();
  auto making = segments<travelling_item<Route, T>>::create(of, to_vector(std::move(got)));
  co_return co_await making;
}

}  // namespace detail

template <exchangeable_range Items, item_route<std::ranges::range_value_t<Items>> Route>
auto exchange(detail::located_team of, Items&& items, Route route)
    -> task<segments<travelling_item<Route, std::ranges::range_value_t<Items>>>> {
  using item = std::ranges::range_value_t<Items>;
  return detail::exchange_items(std::move(of), std::span<const item>{items}, std::move(route));
}

template <distributed_range R, item_route<element_of<R>> Route>
auto exchange(const R& range, Route route, std::source_location where)
    -> task<segments<travelling_item<Route, element_of<R>>>> {
  return detail::exchange_range(range, std::move(route), where);
}

}  // namespace lamellar
