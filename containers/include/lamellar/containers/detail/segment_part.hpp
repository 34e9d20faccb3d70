// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/growing_row.hpp>
#include <lamellar/containers/detail/sequence_errors.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/team.hpp>
#include <mutex>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// One PE's part of a container whose items lie where they were put: a growing row of items. A
// *frozen* container does not grow, and all members know how many items each of them has.
//
// Thread-safety: putting items in, their number and for_each(): any thread. Who looks at the
// items otherwise does so when nobody puts any in.
namespace lamellar::detail {

template <class T>
class segment_part {
 public:
  segment_part(team members, std::string_view kind)
      : members_{std::move(members)},
        kind_{kind},
        me_{members_.position().index()},
        items_{members_.where().threads() > 1},
        next_{me_},
        turn_lock_{members_.where().threads() > 1} {}

  const team& members() const { return members_; }
  std::uint32_t me() const { return me_; }
  std::span<T> items() { return items_.items(); }
  std::size_t size() const { return items_.size(); }
  /// f of each item that is here now; f may put in more, which is not looked at.
  template <class F>
  void for_each(F& f) const {
    if (!is_frozen()) {
      items_.for_each(f);
      return;
    }
    for (const T& each : items_.items()) f(each);
  }
  /// The same by several threads, each a piece of its own, while nobody puts any in.
  static constexpr std::size_t piece = 4096;
  std::size_t pieces() const { return (size() + piece - 1) / piece; }
  template <class F>
  void for_each_in(std::size_t k, F& f) const {
    const std::span<const T> all = items_.items();
    for (const T& each : all.subspan(k * piece, std::min(piece, all.size() - k * piece))) {
      f(each);
    }
  }
  std::size_t bytes() const { return sizeof(*this) + items_.bytes(); }

  void push(T item, const char* what, std::source_location where) {
    refuse_if_frozen(what, where);
    items_.push(std::move(item));
  }
  void append(std::span<const T> items, const char* what, std::source_location where) {
    refuse_if_frozen(what, where);
    items_.append(items);
  }
  void clear() {
    items_.clear();
    begins_.clear();
  }
  /// Positions in turn, beginning after this one.
  std::uint32_t next_in_turn() {
    const std::lock_guard held{turn_lock_};
    next_ = next_ + 1 < members_.size() ? next_ + 1 : 0;
    return next_;
  }

  /// The items without their place, and back.
  std::vector<T> take() { return items_.take(); }
  void put(std::vector<T> items) { items_.put(std::move(items)); }

  // ---- frozen ----
  bool is_frozen() const { return !begins_.empty(); }
  void freeze(const std::vector<std::uint64_t>& sizes) {
    begins_.assign(1, 0);
    for (const std::uint64_t each : sizes) {
      begins_.push_back(begins_.back() + each);
    }
  }
  void thaw() { begins_.clear(); }
  /// The items before each member's, and the number of all. Ends the job if it is not frozen.
  const std::vector<std::uint64_t>& begins(const char* what, std::source_location where) const {
    if (!is_frozen()) [[unlikely]] {
      not_frozen(members_, kind_, what, where);
    }
    return begins_;
  }

 private:
  void refuse_if_frozen(const char* what, std::source_location where) const {
    if (is_frozen()) [[unlikely]] {
      still_frozen(members_, kind_, what, where);
    }
  }

  team members_;
  std::string_view kind_;
  std::uint32_t me_;
  growing_row<T> items_;
  std::uint32_t next_;
  spin_lock turn_lock_;  // guards next_
  std::vector<std::uint64_t>
      begins_;  // empty: not frozen; by the body, when nothing is under way
};

// ---- messages -------------------------------------------------------------------------------

template <class T>
struct put_in_segment {
  void operator()(segment_part<T>& mine, T item) const {
    mine.push(std::move(item), "an item that was sent", std::source_location::current());
  }
};
template <class T>
struct load_from_segment {
  T operator()(segment_part<T>& mine, std::uint64_t offset) const {
    return mine.items()[offset];
  }
};
template <class T>
struct load_many_from_segment {
  std::vector<T> operator()(segment_part<T>& mine,
                            std::span<const std::uint64_t> offsets) const {
    std::vector<T> values;
    values.reserve(offsets.size());
    for (const std::uint64_t offset : offsets) {
      values.push_back(mine.items()[offset]);
    }
    return values;
  }
};

// ---- together -------------------------------------------------------------------------------

/// Let all members know how many items each has. Collective; begins with a quiesce.
template <class T>
task<> freeze_segments(darc<segment_part<T>> parts, std::source_location at) {
  const located_team of{parts->members(), at};
  auto settling = of.value.quiesce(at);
  co_await settling;
  auto gathering = all_gather(of, static_cast<std::uint64_t>(parts->size()));
  parts->freeze(co_await gathering);
  auto meeting = of.value.barrier(at);
  co_await meeting;
}

template <class T>
task<> thaw_segments(darc<segment_part<T>> parts, std::source_location at) {
  const team& members = parts->members();
  auto settling = members.quiesce(at);
  co_await settling;
  parts->thaw();
  auto meeting = members.barrier(at);
  co_await meeting;
}

}  // namespace lamellar::detail
