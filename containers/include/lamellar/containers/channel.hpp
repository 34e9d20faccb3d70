// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cereal/types/optional.hpp>
#include <cereal/types/utility.hpp>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/checkpoint.hpp>
#include <lamellar/containers/detail/channel_part.hpp>
#include <lamellar/containers/detail/sequence_errors.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

  // ---- as a distributed_container: all items are on the host ----
  using item_type = T;
  static constexpr std::string_view kind = "channel";
  std::size_t local_size() const { return parts_->size(); }
  std::size_t local_bytes() const { return sizeof(part_type) + parts_->size() * sizeof(T); }
  template <class F>
  void local_for_each(F&& f) const {
    parts_->for_each(f);
  }
  void local_clear() const { parts_->clear(); }
  /// push() without an answer. Done: when quiesce() has returned, which waits for room, too.
  void add_item(const T& item) const {
    parts_.send(host(), detail::put_into_channel<T>{}, item);
  }
  /// What checkpoint() and restore() do: items keep their order, behind those that are in.
  /// Whether the channel is closed is not saved. load() throws checkpoint_error on all members,
  /// if there is not so much room.
  task<std::uint64_t> save(std::string path) const { return save_all(*this, std::move(path)); }
  task<std::uint64_t> load(std::string path) const { return load_all(*this, std::move(path)); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit channel(darc<part_type> parts) : parts_{std::move(parts)} {}
  static task<channel> create_on(detail::located_team of, std::size_t capacity,
                                 team_position host);
  static task<std::uint64_t> save_all(channel from, std::string path);
  static task<std::uint64_t> load_all(channel into, std::string path);

  using numbered = std::pair<std::uint64_t, T>;

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

template <transferable T>
task<std::uint64_t> channel<T>::save_all(channel from, std::string path) {
  const auto each = [&from](const auto& put) {
    std::uint64_t number = 0;
    from.local_for_each([&](const T& item) { put(numbered{number++, item}); });
  };
  auto saving = save_items<numbered>(from.members(), std::move(path), std::string{kind}, each);
  co_return co_await saving;
}

template <transferable T>
task<std::uint64_t> channel<T>::load_all(channel into, std::string path) {
  std::vector<numbered> mine;
  const auto take = [&mine](numbered item) { mine.push_back(std::move(item)); };
  auto loading = load_items<numbered>(into.members(), path, std::string{kind}, take);
  const std::uint64_t items = co_await loading;
  auto counting = all_reduce(into.members(), std::uint64_t{into.local_size()});
  const std::uint64_t there = co_await counting;
  if (items > into.capacity() - std::min<std::uint64_t>(there, into.capacity())) {
    detail::no_room_to_restore(path, items, there, into.capacity());
  }
  auto gathering = gather(into.members(), std::move(mine), into.parts_->host_position());
  std::vector<numbered> all;
  for (std::vector<numbered>& some : co_await gathering) {
    all.insert(all.end(), std::make_move_iterator(some.begin()),
               std::make_move_iterator(some.end()));
  }
  std::sort(all.begin(), all.end(),
            [](const numbered& a, const numbered& b) { return a.first < b.first; });
  for (numbered& each : all) {
    into.parts_->try_push(std::move(each.second));
  }
  co_return items;
}

}  // namespace lamellar
