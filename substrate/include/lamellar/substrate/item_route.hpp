// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/exchange_end.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <span>
#include <type_traits>
#include <utility>

// What routes are, see exchange.hpp, and how an exchange asks one: with or without the index,
// for a position or a parcel.
//
// Thread-safety: the body.
namespace lamellar {

/// What travels in place of an item, and to which member.
template <class T>
struct parcel {
  team_position to;
  T item;
};

namespace detail {

template <class Route, class Item>
decltype(auto) route_of(Route& route, const Item& item, std::size_t index) {
  if constexpr (std::invocable<Route&, const Item&, std::size_t>) {
    return route(item, index);
  } else {
    return route(item);
  }
}

template <class Answer, class Item>
struct routed_item;  // for other answers: not a route
template <class Item>
struct routed_item<team_position, Item> : std::type_identity<Item> {};
template <class T, class Item>
struct routed_item<parcel<T>, Item> : std::type_identity<T> {};

template <class Route, class Item>
using routed_item_t =
    typename routed_item<std::remove_cvref_t<decltype(route_of(
                             std::declval<Route&>(), std::declval<const Item&>(), 0))>,
                         Item>::type;

}  // namespace detail

/// A function of an item, or of an item and its index, that gives a team_position or a parcel.
template <class Route, class Item>
concept item_route = (std::invocable<Route&, const Item&> ||
                      std::invocable<Route&, const Item&, std::size_t>)&&requires {
  typename detail::routed_item_t<Route, Item>;
};

/// What travels: the item, or what is in the parcels.
template <class Route, class Item>
using travelling_item = detail::routed_item_t<Route, Item>;

namespace detail {

template <class Answer>
std::uint32_t position_in(const Answer& answer) {
  if constexpr (std::same_as<Answer, team_position>) {
    return answer.index();
  } else {
    return answer.to.index();
  }
}

/// What travels: `item`, or what is in its parcel.
template <class Answer, class Item>
const auto& item_in(const Answer& answer, const Item& item) {
  if constexpr (std::same_as<Answer, team_position>) {
    return item;
  } else {
    return answer.item;
  }
}

/// Asks a route for items of one exchange.
template <class Item, class Route>
struct router {
  const located_team& of;
  const char* what;
  std::span<const Item> items;
  Route& route;
  std::uint32_t members = of.value.size();

  /// Call visit(position, what travels) for item `index`.
  template <class Visit>
  decltype(auto) one(std::size_t index, const Visit& visit) const {
    const auto answer = route_of(route, items[index], index);
    const std::uint32_t to = position_in(answer);
    if (to >= members) [[unlikely]] {
      no_such_destination(of, what, index, to);
    }
    return visit(to, item_in(answer, items[index]));
  }

  /// Call visit(position, what travels, index) for each item, and serve others now and then.
  template <class Visit>
  void all(const Visit& visit) const {
    const router self = *this;
    engine& home = engine_of(of.value.where());
    constexpr std::size_t between_polls = 1u << 16;
    for (std::size_t first = 0; first < self.items.size(); first += between_polls) {
      const std::size_t last = std::min(self.items.size(), first + between_polls);
      for (std::size_t k = first; k < last; ++k) {
        self.one(k, [&](std::uint32_t to, const auto& item) { visit(to, item, k); });
      }
      home.progress(home.here(), resume::anywhere);
    }
  }
};

}  // namespace detail
}  // namespace lamellar
