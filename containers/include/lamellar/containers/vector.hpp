// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/ask_owners.hpp>
#include <lamellar/containers/detail/segment_part.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// vector<T>: a sequence that grows at one end on each PE. Its order is that of the PEs, and on
// a PE that in which items were pushed back. To have indices it is frozen: then it does not
// grow, and all PEs know where each index lies.
//
// A frozen vector is a distributed_range: algorithms such as sort work on it.
//
// The handle is cheap to copy and travels. The parts go in the first quiesce after the last
// handle.
//
// Thread-safety: push_back() and at(): any thread of the PE; the others: the body.
namespace lamellar {

template <transferable T>
class vector {
  using part_type = detail::segment_part<T>;

 public:
  using value_type = T;
  using item_type = T;
  static constexpr std::string_view kind = "vector";

  /// No vector; to be assigned to.
  vector() noexcept = default;

  /// Make an empty one on the PEs of the world or of a team. Cost: a barrier. Collective.
  static task<vector> create(detail::located_team of) { return create_on(std::move(of)); }

  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return parts_->members(); }

  // ---- growing: here, without messages; it must not be frozen ----
  void push_back(T item, std::source_location at = std::source_location::current()) const {
    parts_->push(std::move(item), "push_back", at);
  }
  /// push_back() of each.
  void append(std::span<const T> items,
              std::source_location at = std::source_location::current()) const {
    parts_->append(items, "append", at);
  }

  // ---- together: collective over the members; each begins with a quiesce of the team ----
  /// Give each item an index. Cost: an all_gather of the sizes.
  task<> freeze(std::source_location at = std::source_location::current()) const {
    return detail::freeze_segments(parts_, at);
  }
  /// Let it grow again.
  task<> thaw(std::source_location at = std::source_location::current()) const {
    return detail::thaw_segments(parts_, at);
  }
  /// freeze(), and let the items lie in blocks as those of an array: each member has as many,
  /// the first ones one more. The order stays. Cost: each item that changes its PE moves once.
  task<> balance(std::source_location at = std::source_location::current()) const {
    return balance_all(*this, at);
  }

  // ---- frozen: as a distributed_range, and by index ----
  std::size_t size(std::source_location at = std::source_location::current()) const {
    return parts_->begins("size", at).back();
  }
  std::size_t size_at(team_position part,
                      std::source_location at = std::source_location::current()) const {
    const auto& begins = parts_->begins("size_at", at);
    return begins[part.index() + 1] - begins[part.index()];
  }
  /// The items that are here. Requires: nobody puts any in meanwhile.
  std::span<T> local() const { return parts_->items(); }
  /// The index of the first item that is here.
  std::size_t local_first(std::source_location at = std::source_location::current()) const {
    return parts_->begins("local_first", at)[parts_->me()];
  }
  /// The PE that has item `i`. Requires: i < size().
  pe owner(std::size_t i, std::source_location at = std::source_location::current()) const {
    return members().at(team_position{place(i, "owner", at).first});
  }
  /// Item `i`. Cost: a round trip. Not collective. Requires: i < size().
  reply<T> at(std::size_t i,
              std::source_location where = std::source_location::current()) const {
    const auto [part, offset] = place(i, "at", where);
    return parts_.call(members().at(team_position{part}), detail::load_from_segment<T>{},
                       offset);
  }
  /// The items at these indices, in their order. Cost: gathered in messages to each owner.
  reply<std::vector<T>> at(std::vector<std::size_t> indices,
                           std::source_location where = std::source_location::current()) const {
    for (const std::size_t i : indices) {
      place(i, "at", where);
    }
    return reply<std::vector<T>>{load_all(*this, std::move(indices))};
  }

  // ---- as a distributed_container ----
  std::size_t local_size() const { return parts_->size(); }
  std::size_t local_bytes() const { return parts_->bytes(); }
  template <class F>
  void local_for_each(F&& f) const {
    parts_->for_each(f);
  }
  std::size_t local_pieces() const { return parts_->pieces(); }
  template <class F>
  void local_for_each_in(std::size_t k, F&& f) const {
    parts_->for_each_in(k, f);
  }
  void local_clear() const { parts_->clear(); }
  void add_item(const T& item) const { push_back(item); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit vector(darc<part_type> parts) : parts_{std::move(parts)} {}

  static task<vector> create_on(detail::located_team of) {
    auto making = darc<part_type>::create(of, of.value, kind);
    co_return vector{co_await making};
  }
  static task<> balance_all(vector of, std::source_location at);
  static task<std::vector<T>> load_all(vector of, std::vector<std::size_t> indices);

  /// The position that has item `i`, and where there.
  std::pair<std::uint32_t, std::uint64_t> place(std::size_t i, const char* what,
                                                std::source_location where) const {
    const std::vector<std::uint64_t>& begins = parts_->begins(what, where);
    if (i >= begins.back()) [[unlikely]] {
      detail::outside_vector(members(), what, i, begins.back(), where);
    }
    const auto after = std::upper_bound(begins.begin(), begins.end(), std::uint64_t{i});
    const auto part = static_cast<std::uint32_t>(after - begins.begin() - 1);
    return {part, i - begins[part]};
  }

  darc<part_type> parts_;
};

// ---- detail ---------------------------------------------------------------------------------

template <transferable T>
task<> vector<T>::balance_all(vector of, std::source_location at) {
  part_type& mine = *of.parts_;
  auto freezing = detail::freeze_segments(of.parts_, at);
  co_await freezing;
  const layout::block even{of.size(), of.members().size()};
  const std::uint64_t first = of.local_first();
  std::vector<T> items = mine.take();
  // Items of earlier members come first, and those of each in their order: that is the order.
  auto bringing = exchange_placed({of.members(), at}, items, [&](const T&, std::size_t index) {
    return team_position{even.locate(first + index).part};
  });
  auto arrived = co_await bringing;
  items.assign(std::make_move_iterator(arrived.begin()),
               std::make_move_iterator(arrived.end()));
  mine.put(std::move(items));
  auto again = detail::freeze_segments(of.parts_, at);
  co_await again;
}

template <transferable T>
task<std::vector<T>> vector<T>::load_all(vector of, std::vector<std::size_t> indices) {
  const std::source_location here = std::source_location::current();
  const auto& home = detail::engine_of(of.members().where());
  std::vector<T> values(indices.size());
  auto asking = detail::ask_owners<std::uint64_t, T>(
      of.members().size(), indices.size(),
      detail::questions_in_a_message<std::uint64_t, T>(home.largest_record()),
      [&](std::size_t k) { return of.place(indices[k], "at", here); },
      [](std::uint32_t, std::span<const std::uint64_t>, const std::size_t*) { return false; },
      [&](std::uint32_t owner, std::span<const std::uint64_t> offsets) {
        return of.parts_.call(of.members().at(team_position{owner}),
                              detail::load_many_from_segment<T>{}, offsets);
      },
      [&](std::size_t k, const T& value) { values[k] = value; });
  co_await asking;
  co_return values;
}

}  // namespace lamellar
