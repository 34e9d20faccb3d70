// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// What the algorithms of this layer work on: elements that are spread over a team, each member
// with a segment of them as plain memory. Arrays of every layout and access are such ranges,
// and so is any type of yours that says, by the same names, what is where:
//
//   value_type           the elements
//   members()            the team; its member at position k owns segment k
//   size()               all elements
//   size_at(position)    those of one segment; known to everybody, without communication
//   local()              this member's segment, as a std::span
//
// It must be a handle: copies are cheap and mean the same elements, since an algorithm keeps
// one.
//
// Order. The elements of a range are in the order of the segments, and within a segment in that
// of local(). A range whose elements have indices of their own, as those of an array, says so
// by three more members (an *indexed* range): global_index(k) of this member's element k,
// first_index_at(position), last_index_at(position), and place_of(i). Then order means the
// order of indices. Within a segment indices ascend.
//
// A range whose elements are under a lock has read_lock(), and write_lock() or
// collective_write_lock(), tasks that give a guard with local(); an algorithm holds it while it
// is at the elements. One whose elements others may change at any time has a local() with
// plain(), their memory for those who know that nobody does.
//
// Thread-safety: constant; as that of the range.
namespace lamellar {

namespace detail {

template <class R>
concept locked_range = requires(const R& r) {
  r.read_lock().get().local();
};

/// This member's elements of something that has local().
template <class Holder>
  requires requires(const Holder& of) { of.local(); }
auto plain_local(const Holder& of) {
  if constexpr (requires { of.local().plain(); }) {
    return of.local().plain();
  } else {
    return std::span{of.local()};
  }
}

template <class R>
concept open_range = requires(const R& r) {
  { plain_local(r).data() } -> std::convertible_to<const typename R::value_type*>;
};

template <class R>
concept writable_locked_range = locked_range<R> &&(
    requires(const R& r) { r.write_lock(); } ||
    requires(const R& r) { r.collective_write_lock(); });

template <class R>
concept writable_open_range = open_range<R> && requires(const R& r) {
  { plain_local(r).data() } -> std::convertible_to<typename R::value_type*>;
};

}  // namespace detail

/// Elements spread over a team, see above.
template <class R>
concept distributed_range = std::copy_constructible<R> &&
    requires(const R& r, team_position part) {
  typename R::value_type;
  { r.members() } -> std::convertible_to<team>;
  { r.size() } -> std::convertible_to<std::size_t>;
  { r.size_at(part) } -> std::convertible_to<std::size_t>;
} &&(detail::open_range<R> || detail::locked_range<R>);

/// One whose elements may be changed.
template <class R>
concept writable_range = distributed_range<R> &&
    (detail::writable_locked_range<R> || detail::writable_open_range<R>);

/// One whose elements have indices of their own.
template <class R>
concept indexed_range = distributed_range<R> &&
    requires(const R& r, std::size_t i, team_position part) {
  { r.global_index(i) } -> std::convertible_to<std::size_t>;
  { *r.first_index_at(part) } -> std::convertible_to<std::size_t>;
  { *r.last_index_at(part) } -> std::convertible_to<std::size_t>;
  { r.place_of(i).part } -> std::convertible_to<std::uint32_t>;
};

/// The elements of a range.
template <class R>
using element_of = typename R::value_type;

/// Whether the order of indices is that of the segments, one after the other, as in a block
/// layout. Cost: O(members). Not collective.
template <distributed_range R>
bool has_ordered_segments(const R& of) {
  if constexpr (indexed_range<R>) {
    std::size_t before = 0;
    for (std::uint32_t k = 0; k < of.members().size(); ++k) {
      const team_position part{k};
      const std::size_t n = of.size_at(part);
      if (n != 0 &&
          (*of.first_index_at(part) != before || *of.last_index_at(part) != before + n - 1)) {
        return false;
      }
      before += n;
    }
  }
  return true;
}

/// The elements of the segments before each one, and the number of all. Cost: O(members).
template <distributed_range R>
std::vector<std::uint64_t> segment_begins(const R& of) {
  std::vector<std::uint64_t> begins{0};
  for (std::uint32_t k = 0; k < of.members().size(); ++k) {
    begins.push_back(begins.back() + of.size_at(team_position{k}));
  }
  return begins;
}

/// This member's segment while it may be used, T or const T: it holds the lock, if there is
/// one.
template <class T>
class open_segment {
 public:
  open_segment() = default;
  open_segment(std::span<T> elements, std::shared_ptr<void> guard)
      : elements_{elements}, guard_{std::move(guard)} {}

  std::span<T> local() const { return elements_; }
  /// Give the lock back.
  void close() noexcept {
    elements_ = {};
    guard_.reset();
  }

 private:
  std::span<T> elements_;
  std::shared_ptr<void> guard_;
};

/// This member's segment for reading, under the lock if there is one.
template <distributed_range R>
task<open_segment<const element_of<R>>> open_to_read(
    R range, std::source_location where = std::source_location::current());

/// This member's segment for writing. Where the lock is one for the whole range it is taken for
/// all members together. Collective.
template <writable_range R>
task<open_segment<element_of<R>>> open_to_write(
    R range, std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Keeps what a lock gives.
template <class T, class Guard>
open_segment<T> keep_open(Guard guard) {
  auto kept = std::make_shared<Guard>(std::move(guard));
  const std::span<T> elements = kept->local();
  return {elements, std::move(kept)};
}

}  // namespace detail

template <distributed_range R>
task<open_segment<const element_of<R>>> open_to_read(R range, std::source_location where) {
  using T = const element_of<R>;
  if constexpr (detail::open_range<R>) {
    co_return open_segment<T>{detail::plain_local(range), nullptr};
  } else {
    auto entering = range.read_lock(where);
    co_return detail::keep_open<T>(co_await entering);
  }
}

template <writable_range R>
task<open_segment<element_of<R>>> open_to_write(R range, std::source_location where) {
  using T = element_of<R>;
  if constexpr (detail::writable_open_range<R>) {
    co_return open_segment<T>{detail::plain_local(range), nullptr};
  } else if constexpr (requires { range.collective_write_lock(where); }) {
    auto entering = range.collective_write_lock(where);
    co_return detail::keep_open<T>(co_await entering);
  } else {
    auto entering = range.write_lock(where);
    co_return detail::keep_open<T>(co_await entering);
  }
}

}  // namespace lamellar
