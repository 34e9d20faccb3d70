// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cereal/types/optional.hpp>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/channel_part.hpp>
#include <lamellar/containers/detail/sequence_errors.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <optional>
#include <utility>

// channel<T>: a bounded row of items between any number of producers and consumers, on any PEs:
// first in, first out. Who pushes into a full one waits for room, who pops from an empty one
// for an item; nobody's thread does. A channel lies on one PE, its host.
//
// The handle is cheap to copy and travels. The channel goes in the first quiesce after the last
// handle.
//
// Items of one producer that awaits each push come out in the order in which it pushed them;
// without awaiting there is no order, as between any two messages.
//
// Thread-safety: any thread of the PE; create(): the body.
namespace lamellar {

template <transferable T>
class channel {
  using part_type = detail::channel_part<T>;

 public:
  using value_type = T;

  /// No channel; to be assigned to.
  channel() noexcept = default;

  /// Make one for at most `capacity` items on the member at `host`, for the PEs of the world or
  /// of a team. Cost: two rounds. Collective. Requires: the same arguments on all PEs,
  /// capacity > 0.
  static task<channel> create(detail::located_team of, std::size_t capacity,
                              team_position host = team_position{0}) {
    return create_on(std::move(of), capacity, host);
  }

  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return parts_->members(); }
  std::size_t capacity() const { return parts_->capacity(); }
  /// Where it lies.
  pe host() const { return parts_->host(); }

  /// Put an item in, when there is room. True: it is in. False: the channel is closed.
  ///
  /// Cost: a round trip to the host, and the time that there is no room. A quiesce waits for a
  /// push that waits. Not collective. Threads: any.
  reply<bool> push(const T& item) const {
    return parts_.call(host(), detail::push_to_channel<T>{}, item);
  }
  /// Take an item out, when there is one; nothing, if the channel is closed and empty.
  ///
  /// Cost: a round trip to the host, and the time that there is nothing. A quiesce waits for a
  /// pop that waits: close() lets it end. Not collective. Threads: any.
  reply<std::optional<T>> pop() const {
    return parts_.call(host(), detail::pop_from_channel<T>{});
  }
  /// The same, but where they would wait they say no. Cost: a round trip.
  reply<bool> try_push(const T& item) const {
    return parts_.call(host(), detail::try_push_to_channel<T>{}, item);
  }
  reply<std::optional<T>> try_pop() const {
    return parts_.call(host(), detail::try_pop_from_channel<T>{});
  }
  /// Take no more items: those that wait with one are told no; what is in can be popped, then
  /// pops give nothing. Closing twice is as once. Cost: a round trip. Await it before you rely
  /// on it.
  reply<> close() const { return parts_.call(host(), detail::close_channel<T>{}); }
  /// How many items are in it, when the host looks. Cost: a round trip.
  reply<std::uint64_t> size() const {
    return parts_.call(host(), detail::size_of_channel<T>{});
  }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit channel(darc<part_type> parts) : parts_{std::move(parts)} {}
  static task<channel> create_on(detail::located_team of, std::size_t capacity,
                                 team_position host);

  darc<part_type> parts_;
};

// ---- detail ---------------------------------------------------------------------------------

template <transferable T>
task<channel<T>> channel<T>::create_on(detail::located_team of, std::size_t capacity,
                                       team_position host) {
  auto asking = all_gather(of, std::uint64_t{capacity});
  detail::check_equal_sizes(of, "channel::create", co_await asking);
  if (capacity == 0) {
    detail::no_capacity(of);
  }
  auto making = darc<part_type>::create(of, of.value, capacity, host);
  co_return channel{co_await making};
}

}  // namespace lamellar
