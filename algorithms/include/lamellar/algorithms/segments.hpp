// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Elements that each member of a team brings as it has them: a distributed range whose segments
// have any sizes. Algorithms that cannot know how many elements they make for whom (unique,
// group_by, join, exchange, readers of files) give one of these, and all algorithms take one.
//
//   std::vector<record> own = ...;
//   const auto records = co_await segments<record>::create(world, std::move(own));
//   co_await sort(records, std::less<>{}, &record::key);
//
// It neither grows nor is known to other PEs by a name; <lamellar/containers/vector.hpp> has a
// vector that does and is, and that is such a range while it is frozen.
//
// Elements are in the order of the team, and within a member's segment in that of its vector.
//
// Thread-safety: a handle; copies mean the same elements. As a std::vector of each member's
// own.
namespace lamellar {

template <class T>
class segments {
 public:
  using value_type = T;
  static_assert(!std::same_as<T, bool>,
                "segments<bool>: elements must have addresses; take char, or an enumeration");

  /// Empty, of no use until assigned to.
  segments() = default;
  /// A range of what every member brings. Collective. Cost: an all_gather of a number.
  static task<segments> create(detail::located_team of, std::vector<T> own);

  const team& members() const { return members_; }
  std::size_t size() const { return begins_->back(); }
  std::size_t size_at(team_position part) const {
    return (*begins_)[part.index() + 1] - (*begins_)[part.index()];
  }
  /// Elements on the members before this one.
  std::size_t local_begin() const { return (*begins_)[members_.position().index()]; }
  /// This member's elements.
  std::span<T> local() const { return *own_; }

 private:
  segments(team members, std::vector<std::uint64_t> begins, std::vector<T> own)
      : members_{std::move(members)},
        begins_{std::make_shared<const std::vector<std::uint64_t>>(std::move(begins))},
        own_{std::make_shared<std::vector<T>>(std::move(own))} {}

  team members_;
  std::shared_ptr<const std::vector<std::uint64_t>> begins_;  // of all segments; the last: all
  std::shared_ptr<std::vector<T>> own_;
};

/// The elements of a range, in order, spread evenly over its team: the first members get one
/// more where it does not come out. The range stays as it is. Collective.
///
/// Cost: each element that lies elsewhere travels once. Memory: the result.
template <distributed_range R>
task<segments<element_of<R>>> balance(
    const R& range, std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

template <class T>
task<segments<T>> segments<T>::create(detail::located_team of, std::vector<T> own) {
  std::vector<T> mine = std::move(own);
  auto gathering = all_gather(of, static_cast<std::uint64_t>(mine.size()));
  const std::vector<std::uint64_t> sizes = co_await gathering;
  std::vector<std::uint64_t> begins{0};
  for (const std::uint64_t each : sizes) {
    begins.push_back(begins.back() + each);
  }
  co_return segments{of.value, std::move(begins), std::move(mine)};
}

namespace detail {

/// The elements of an exchange as a vector.
template <class T>
std::vector<T> to_vector(exchanged_items<T> got) {
  return {std::make_move_iterator(got.begin()), std::make_move_iterator(got.end())};
}

template <class R>
task<segments<element_of<R>>> balance_range(R range, std::source_location where) {
  using T = element_of<R>;
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const own_place here = place_in(of.value, segment_begins(mine));
  const layout::block shares{mine.size(), of.value.size()};
  const auto index = indices_of(mine, here.begin);
  const auto route = [&](const T& element, std::size_t k) {
    const std::uint64_t i = index(k);
    return parcel<numbered<T>>{team_position{shares.locate(i).part}, {element, i}};
  };
  auto moving = exchange_placed(of, segment.local(), route);
  auto got = co_await moving;
  segment.close();
  std::vector<T> own(got.size());
  const std::uint64_t first = shares.first(here.position);
  for (numbered<T>& each : got) {
    own[each.index - first] = std::move(each.value);
  }
  auto making = segments<T>::create(of, std::move(own));
  co_return co_await making;
}

}  // namespace detail

template <distributed_range R>
task<segments<element_of<R>>> balance(const R& range, std::source_location where) {
  return detail::balance_range(range, where);
}

}  // namespace lamellar
