// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/detail/exchange_end.hpp>
#include <lamellar/substrate/detail/landing.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/exchanged_items.hpp>
#include <lamellar/substrate/item_route.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <span>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

// The placed form of an exchange: count, learn where the items of this PE belong at each
// member, and put them there. Plain items are stored, at their place or, where that cannot be
// mapped, in a piece that is sent when it is full; others are encoded.
//
// Thread-safety: the body.
namespace lamellar::detail {

template <class T>
struct placed {};  // a kind of ends

/// Puts what has arrived where it belongs.
template <class T>
void put_in_place(void* state, const arrived_items& what) {
  auto& into = *static_cast<exchanged_items<T>*>(state);
  if (what.first > into.size() || what.count > into.size() - what.first) {
    throw corrupt_message{"items of an exchange have no place where they go"};
  }
  byte_reader in{what.bytes, what.home};
  if constexpr (exchanged_items<T>::plain) {
    std::memcpy(into.data() + what.first, in.take(what.count, sizeof(T)),
                what.count * sizeof(T));
  } else {
    for (std::uint64_t k = 0; k < what.count; ++k) {
      into[what.first + k] = decode<T>(in);
    }
  }
  in.finish();
}

template <class T>
std::vector<landing_place> places_in(const exchanged_items<T>& result) {
  std::vector<landing_place> places;
  for (const std::uint64_t first : result.displacements().first(result.sources())) {
    landing_place place;
    if constexpr (exchanged_items<T>::plain) {
      place.key = result.block().key;
      place.segment_bytes = result.block().segment_bytes;
      place.offset = result.block().offset + first * sizeof(T);
    }
    place.first = first;
    places.push_back(place);
  }
  return places;
}

// The loops over the items are functions of their own: what a coroutine keeps lies in memory,
// and would be loaded again after each item that is stored.

/// How many items go to each member. Throws: what the route throws.
template <class Item, class Route>
std::vector<std::uint64_t> count_items(router<Item, Route> routed_by) {
  // Several counts of each, taken in turn: adding to one takes longer than asking the route.
  constexpr std::size_t turns = 4;
  const std::size_t members = routed_by.members;
  std::vector<std::uint64_t> counts(turns * members);
  std::uint64_t* const first = counts.data();
  routed_by.all([first, members](std::uint32_t to, const auto&, std::size_t index) {
    ++first[index % turns * members + to];
  });
  for (std::size_t k = members; k < counts.size(); ++k) {
    counts[k % members] += counts[k];
  }
  counts.resize(members);
  return counts;
}

/// Where this PE's items for one member go: plain ones.
struct way_to_member {
  std::byte* next = nullptr;  ///< where the next item is stored
  std::byte* end = nullptr;   ///< here it must be looked what comes next
  // If the member's memory is not mapped:
  std::vector<std::byte> piece = {};
  std::uint64_t first = 0;  ///< the place of the first item in `piece`
  std::uint64_t left = 0;   ///< items that are not in this piece nor in an earlier one
};

/// The ways to all members, by position.
template <class T>
std::vector<way_to_member> find_ways(const located_team& of,
                                     const std::vector<landing_place>& places,
                                     const std::vector<std::uint64_t>& counts,
                                     exchanged_items<T>& own) {
  const team_part& part = team_access::part(of.value);
  std::vector<way_to_member> ways(counts.size());
  for (std::uint32_t k = 0; k < ways.size(); ++k) {
    way_to_member& way = ways[k];
    if (counts[k] == 0) {
      continue;
    }
    if (k == part.position) {
      way.next = reinterpret_cast<std::byte*>(own.data() + places[k].first);
    } else if (std::byte* const segment = part.home->transport().mapped(
                   part.members.at(k), places[k].key, places[k].segment_bytes);
               segment != nullptr) {
      way.next = segment + places[k].offset;
    } else {
      way.first = places[k].first;
      way.left = counts[k];
      continue;
    }
    way.end = way.next + counts[k] * sizeof(T);
  }
  return ways;
}

/// Put each plain item where it belongs, or send it there; `sent` gets the number of those that
/// were sent, by position. Throws: what the route throws.
template <class T, class End, class Item, class Route>
void place_plain(router<Item, Route> routed_by, const darc<End>& ends,
                 std::vector<way_to_member> ways, std::vector<std::uint64_t>& sent) {
  const std::size_t piece_items =
      std::max<std::size_t>(1, piece_bytes_of(*ends->home) / sizeof(T));
  const auto ship = [&](std::uint32_t to) {
    way_to_member& way = ways[to];
    const auto bytes = static_cast<std::size_t>(way.next - way.piece.data());
    if (bytes == 0) {
      return;
    }
    ends.send(pe{ends->members.at(to)}, take_piece<End>{}, way.first, bytes / sizeof(T),
              std::span<const std::byte>{way.piece}.first(bytes));
    sent[to] += bytes / sizeof(T);
    way.first += bytes / sizeof(T);
    way.next = way.end = way.piece.data();
  };
  const auto next_piece = [&](std::uint32_t to, std::size_t index) {
    way_to_member& way = ways[to];
    if (way.left == 0) {
      changed_destination(routed_by.of, index, to);
    }
    if (way.piece.empty()) {
      way.piece.resize(std::min<std::uint64_t>(way.left, piece_items) * sizeof(T));
      way.next = way.piece.data();
    }
    ship(to);
    const auto items = std::min<std::uint64_t>(way.left, piece_items);
    way.left -= items;
    way.end = way.next + items * sizeof(T);
  };
  way_to_member* const all = ways.data();
  routed_by.all([&, all](std::uint32_t to, const T& item, std::size_t index) {
    way_to_member& way = all[to];
    if (way.next == way.end) [[unlikely]] {
      next_piece(to, index);
    }
    std::memcpy(way.next, &item, sizeof(T));
    way.next += sizeof(T);
  });
  for (std::uint32_t to = 0; to < ways.size(); ++to) {
    if (!ways[to].piece.empty()) {
      ship(to);
    }
  }
}

/// The same for items that are encoded; those that stay here are copied.
template <class T, class End, class Item, class Route>
void place_encoded(router<Item, Route> routed_by, const darc<End>& ends,
                   const std::vector<landing_place>& places,
                   const std::vector<std::uint64_t>& counts, exchanged_items<T>& result,
                   std::vector<std::uint64_t>& sent) {
  const std::uint32_t here = routed_by.of.value.position().index();
  std::vector<std::uint64_t> done(counts.size());
  piece_sender<End> pieces{ends, sent};
  routed_by.all([&](std::uint32_t to, const T& item, std::size_t index) {
    if (done[to] == counts[to]) {
      changed_destination(routed_by.of, index, to);
    }
    const std::uint64_t place = places[to].first + done[to]++;
    if (to == here) {
      result[place] = item;
    } else {
      pieces.add(to, item, place);
    }
  });
  pieces.finish();
}

/// Exchange counts and places, call `(*store)(ends, places, result, sent)`, which puts this
/// PE's items where they belong, and wait for those of the others. `failures`: what has failed
/// here already; then nothing is stored. `store` must live until the task has ended.
/// Collective.
template <class T, class Store>
task<exchanged_items<T>> place_counted(located_team of, std::vector<std::uint64_t> counts,
                                       failure_log failures, const char* thrower,
                                       const char* what, const Store* store) {
  static_assert(transferable<T>, "what an exchange carries must be able to travel");
  static_assert(exchanged_items<T>::plain || std::default_initializable<T>,
                "items that are placed need a default constructor");
  using end = exchange_end<placed<T>>;
  engine& home = engine_of(of.value.where());
  const std::uint32_t members = of.value.size();
  const std::vector<std::uint64_t> from_each = co_await all_to_all(of, std::move(counts));

  exchanged_items<T> result;
  std::string refusal;
  std::vector<landing_place> mine;
  try {
    result = exchanged_items<T>{home, from_each};
    mine = places_in(result);
  } catch (const std::exception& e) {
    refusal = e.what();
    landing_place none;
    none.refused = true;
    mine.assign(members, none);
  }
  const std::vector<landing_place> places =
      co_await exchange_landing_places(of, std::move(mine), std::move(refusal));

  const darc<end> ends =
      co_await darc<end>::create(of, of.value, &put_in_place<T>, &result, std::string{what});
  std::vector<std::uint64_t> sent(members);
  if (failures.count == 0) {
    try {
      (*store)(ends, places, result, sent);
    } catch (...) {
      add_failure(failures, home, handler_table::readable(thrower));
    }
  }
  co_await finish_exchange(of, &ends, std::move(sent), std::move(failures), what);
  co_return result;
}

template <class Item, class Route>
task<exchanged_items<travelling_item<Route, Item>>> place_items(located_team of,
                                                                std::span<const Item> items,
                                                                Route route) {
  using T = travelling_item<Route, Item>;
  constexpr const char* what = "exchange_placed()";
  check_exchange(of, what);
  engine& home = engine_of(of.value.where());
  const router<Item, Route> routed_by{of, what, items, route};

  std::vector<std::uint64_t> counts(of.value.size());
  failure_log failures;
  try {
    counts = count_items(routed_by);
  } catch (...) {
    add_failure(failures, home, handler_table::readable(typeid(Route).name()));
  }
  const auto store = [&](const auto& ends, const auto& places, exchanged_items<T>& result,
                         std::vector<std::uint64_t>& sent) {
    if constexpr (exchanged_items<T>::plain) {
      place_plain<T>(routed_by, ends, find_ways(of, places, counts, result), sent);
    } else {
      place_encoded<T>(routed_by, ends, places, counts, result, sent);
    }
  };
  auto placing =
      place_counted<T>(of, counts, std::move(failures), typeid(Route).name(), what, &store);
  co_return co_await placing;
}

}  // namespace lamellar::detail
