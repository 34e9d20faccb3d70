// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/exchange_placed.hpp>
#include <lamellar/substrate/detail/exchange_rows.hpp>
#include <lamellar/substrate/detail/exchange_streamed.hpp>
#include <lamellar/substrate/exchanged_items.hpp>
#include <lamellar/substrate/item_route.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

// Each member of a team has items, and each item a destination in the team: three ways to bring
// all of them there.
//
//   exchange()         streaming: a function at the destination gets the items as they arrive.
//   exchange_placed()  the items are counted first; then each lands at its place in an array,
//                      ordered by source and, within a source, as it was there.
//   exchange_rows()    the same for a caller that has counted them, and hands them over in
//   rows.
//
// A *route* says where an item goes: `route(item)` or `route(item, index)` gives its
// team_position, or a parcel, which says what travels in place of the item. A route only looks
// at its arguments and the program's data: it neither sends nor waits.
//
// All collect what goes to the same PE and never have a message for an item. None waits for
// anything else that the program has sent, nor reports its failures.
//
// Thread-safety: the body.
namespace lamellar {

/// A function of rows of T; it may take the source first.
template <class Sink, class T>
concept item_sink = std::invocable<Sink&, team_position, std::span<const T>> ||
    std::invocable<Sink&, std::span<const T>>;

/// Items in memory that stays in place while an exchange reads it: an lvalue, or a view.
template <class Range>
concept exchangeable_range = std::ranges::contiguous_range<Range> &&
    std::ranges::sized_range<Range> && std::ranges::borrowed_range<Range>;

/// Bring every item to where its route says, and call `sink(items)` or `sink(source, items)`
/// there with rows of them as they arrive. All items were handed on when the task has ended.
///
/// In no order, neither between sources nor of one. One call of the sink at a time on a PE, by
/// any of its threads, on this PE while the route is still at work, too; it is a handler: it
/// may send, not wait, and what it sends is not waited for. `items` must stay as it is until
/// the task has ended.
/// Cost: plain items of up to 2016 bytes take their bytes in a buffer and nothing else, others
/// are encoded; items for the own PE do not leave it. A barrier, a message to each member, and
/// an all_reduce beside it. Memory: the items, and the buffers that messages have anyway.
/// Collective: the same T everywhere, any number of items. Throws: remote_error, on all members
/// alike, if a route, a sink or a serialisation throws; on that PE no more items are sent, or
/// handed on. Misuse: a destination outside the team.
/// Source: conveyors; MPI_Alltoallv, without its counts.
template <exchangeable_range Items, item_route<std::ranges::range_value_t<Items>> Route,
          item_sink<travelling_item<Route, std::ranges::range_value_t<Items>>> Sink>
task<> exchange(detail::located_team of, Items&& items, Route route, Sink sink);

/// Bring every item to where its route says: they land in one array there, sources in order of
/// position, the items of each in the order that they have here.
///
/// The route is asked twice for each item, and must give the same answer. `items` must stay as
/// it is until the task has ended.
/// Cost: two passes over the items, two all_to_all, a barrier and an all_reduce. Where the
/// receiver's memory is mapped an item is stored at its place; else it travels in pieces that
/// fill a buffer, with one place for all of it. Local items are copied once. Memory: items and
/// result, which lies in the symmetric heap (LAMELLAR_HEAP_SIZE) if T is plain; where memory is
/// not mapped a buffer for each member.
/// Collective: the same T everywhere, any number of items. Throws, on all members alike:
/// out_of_memory, if one has no room for what it gets; remote_error, if a route or a
/// serialisation throws. Misuse: a destination outside the team; one that changes.
/// Source: MPI_Alltoallv, with its counts; the permutation of a radix sort.
template <exchangeable_range Items, item_route<std::ranges::range_value_t<Items>> Route>
task<exchanged_items<travelling_item<Route, std::ranges::range_value_t<Items>>>>
exchange_placed(detail::located_team of, Items&& items, Route route);

/// Bring items to their members as exchange_placed() does, `counts[k]` of them to position k.
/// `fill(rows)` hands them over by `rows.put(position, items)`, a span<T>, in any order of
/// members; it has no other way to be asked, so that it may gather them as suits it. Of a put
/// the items may be moved from; they are free for other use when it returns. `rows.poll()`
/// serves others, in a fill that takes long.
///
/// Shapes: one count for each member. Cost: two all_to_all, a barrier and an all_reduce; where
/// the receiver's memory is mapped, or is here, a copy of each row. Memory: the result, as that
/// of exchange_placed(). Collective: the same T everywhere. Throws, on all members alike:
/// out_of_memory, if one has no room for what it gets; remote_error, if a fill or a
/// serialisation throws. Misuse: other items than were counted.
/// Source: MPI_Alltoallv; write combining of radix sorts.
template <transferable T, class Fill>
task<exchanged_items<T>> exchange_rows(detail::located_team of,
                                       std::vector<std::uint64_t> counts, Fill fill);

// ---- detail ---------------------------------------------------------------------------------

template <exchangeable_range Items, item_route<std::ranges::range_value_t<Items>> Route,
          item_sink<travelling_item<Route, std::ranges::range_value_t<Items>>> Sink>
task<> exchange(detail::located_team of, Items&& items, Route route, Sink sink) {
  using item = std::ranges::range_value_t<Items>;
  return detail::stream_items(std::move(of), std::span<const item>{items}, std::move(route),
                              std::move(sink));
}

template <exchangeable_range Items, item_route<std::ranges::range_value_t<Items>> Route>
task<exchanged_items<travelling_item<Route, std::ranges::range_value_t<Items>>>>
exchange_placed(detail::located_team of, Items&& items, Route route) {
  using item = std::ranges::range_value_t<Items>;
  return detail::place_items(std::move(of), std::span<const item>{items}, std::move(route));
}

template <transferable T, class Fill>
task<exchanged_items<T>> exchange_rows(detail::located_team of,
                                       std::vector<std::uint64_t> counts, Fill fill) {
  return detail::place_rows<T>(std::move(of), std::move(counts), std::move(fill));
}

}  // namespace lamellar
