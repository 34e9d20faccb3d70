// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/detail/exchange_end.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/item_route.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <span>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

// The streaming form of an exchange. Small plain items are records of a span handler, and read
// where they arrive; others are encoded, in pieces.
//
// Thread-safety: the body; the sink, one call at a time, any thread of the PE.
namespace lamellar::detail {

template <class T>
struct streamed {};  // a kind of ends

/// Items that a span handler reads where they have arrived.
template <class T>
concept read_in_place = is_element_view<std::span<const T>> &&
                        sizeof(T) <= largest_fixed_record;

/// A sink, as an end calls it.
template <class T, class Sink>
void pour(void* state, const arrived_items& what) {
  Sink& sink = *static_cast<Sink*>(state);
  const auto hand_on = [&](std::span<const T> items) {
    if constexpr (std::invocable<Sink&, team_position, std::span<const T>>) {
      sink(what.from, items);
    } else {
      sink(items);
    }
  };
  if constexpr (read_in_place<T>) {
    hand_on({reinterpret_cast<const T*>(what.bytes.data()), what.count});
  } else {
    std::vector<T> items;
    byte_reader in{what.bytes, what.home};
    for (std::uint64_t k = 0; k < what.count; ++k) {
      items.push_back(decode<T>(in));
    }
    in.finish();
    hand_on(items);
  }
}

/// Send each item as a record; `sent` counts them by position, those that a throw leaves behind
/// not included.
template <class T, class End, class Item, class Route>
void send_records(const darc<End>& ends, router<Item, Route> routed_by,
                  std::vector<std::uint64_t>& sent) {
  const member_list& members = ends->members;
  // For few PEs send_each() makes room for a row of records before it asks for their
  // destinations, so that nothing can fail between the count and the record.
  constexpr std::uint32_t few = 16;
  constexpr std::size_t small = 96;
  if (ends->home->size() <= few && sizeof(T) <= small) {
    std::uint32_t pes[few] = {};
    for (std::uint32_t k = 0; k < members.size(); ++k) {
      pes[k] = members.at(k);
    }
    const std::span<const Item> items = routed_by.items;
    ends.send_each(take_items<T, End>{}, items, [&](const Item& item) {
      return routed_by.one(static_cast<std::size_t>(&item - items.data()),
                           [&](std::uint32_t to, const T& what) {
                             ++sent[to];
                             return routed<T>{pes[to], what};
                           });
    });
    return;
  }
  routed_by.all([&](std::uint32_t to, const T& what, std::size_t) {
    ends.send(pe{members.at(to)}, take_items<T, End>{}, what);
    ++sent[to];
  });
}

template <class Item, class Route, class Sink>
task<> stream_items(located_team of, std::span<const Item> items, Route route, Sink sink) {
  using T = travelling_item<Route, Item>;
  static_assert(transferable<T>, "what an exchange carries must be able to travel");
  using end = exchange_end<streamed<T>>;
  constexpr const char* what = "exchange()";
  check_exchange(of, what);
  std::string sink_name = handler_table::readable(typeid(Sink).name());
  const darc<end> ends =
      co_await darc<end>::create(of, of.value, &pour<T, Sink>, &sink, std::move(sink_name));
  std::vector<std::uint64_t> sent(of.value.size());
  failure_log failures;
  const router<Item, Route> routed_by{of, what, items, route};
  try {
    if constexpr (read_in_place<T>) {
      send_records<T>(ends, routed_by, sent);
    } else {
      piece_sender<end> pieces{ends, sent};
      routed_by.all(
          [&](std::uint32_t to, const T& item, std::size_t) { pieces.add(to, item); });
      pieces.finish();
    }
  } catch (...) {
    add_failure(failures, *ends->home, handler_table::readable(typeid(Route).name()));
  }
  co_await finish_exchange(of, &ends, std::move(sent), std::move(failures), what);
}

}  // namespace lamellar::detail
