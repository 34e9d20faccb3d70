// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/all_elements.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/reduce_parts.hpp>
#include <lamellar/containers/operations.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <optional>
#include <source_location>
#include <utility>

// One value made of all elements of an array (or view): their sum, product, least, greatest,
// where those are, or what any associative operation makes of them. An empty array has none:
// the result is a std::optional.
//
//   sum(a)       one-sided: any PE asks alone, the owners are sent a message each
//   all_sum(a)   collective: all PEs of the array's team call it, and all get the result
//
// Each owner adds up its part with all its threads. Elements are joined in the order of their
// indices on each PE, and the PEs' results in the order of the team; the grouping depends on
// the sizes and the number of PEs alone, so that sums of floating-point numbers are
// reproducible. Where the layout is not block, this is not the order of indices, and an
// operation of your own must commute.
//
// The one-sided ones see each element at some time between call and result, and wait for nobody
// else; elements of arrays with locks are read under the read lock, a global_lock array under
// one for the whole. The collective ones begin and end as all_elements() does.
//
// Cost: O(n / PEs) on each PE; one-sided: a round trip; collective: a quiesce and an
// all_reduce. Threads: any for the one-sided ones, the body for the others. Throws: what the
// operation throws; one-sided as remote_error. Source: Lamellar's sum, prod, min, max, reduce.
namespace lamellar {

/// What min_max() finds, and where: the first place of several.
template <class T>
struct located_extremes {
  T min;
  std::size_t min_index;
  T max;
  std::size_t max_index;

  friend bool operator==(const located_extremes&, const located_extremes&) = default;
};

// ---- one-sided ------------------------------------------------------------------------------

/// op of all elements. Requires: op is associative, a callable without state or by_value() of a
/// closure; and commutative, if the layout is not block.
template <array_element T, array_layout Layout, class Access, class Op>
reply<std::optional<T>> reduce(const array<T, Layout, Access>& a, Op op,
                               std::source_location at = std::source_location::current()) {
  return detail::reduce_parts<T, detail::as_they_are>(a, std::move(op), at);
}
/// The sum, in the elements' type: integers wrap around.
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::add, T> reply<std::optional<T>> sum(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return reduce(a, op::add{}, at);
  }
/// The product, in the elements' type.
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::mul, T> reply<std::optional<T>> prod(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return reduce(a, op::mul{}, at);
  }
/// The least element; a NaN, if there is nothing else.
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::min, T> reply<std::optional<T>> min(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return reduce(a, op::min{}, at);
  }
/// The greatest element; a NaN, if there is nothing else.
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::max, T> reply<std::optional<T>> max(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return reduce(a, op::max{}, at);
  }
/// Both, and their indices.
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::min, T> reply<std::optional<located_extremes<T>>> min_max(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    using extremes = located_extremes<T>;
    return detail::reduce_parts<extremes, detail::as_extremes<extremes>>(
        a, detail::join_extremes{}, at);
  }

// ---- collective -----------------------------------------------------------------------------

/// op of all elements, on all PEs. Requires: op is associative; and commutative, if the layout
/// is not block.
template <array_element T, array_layout Layout, class Access, class Op>
task<std::optional<T>> all_reduce(const array<T, Layout, Access>& a, Op op,
                                  std::source_location at = std::source_location::current()) {
  return all_elements(a, at).reduce(std::move(op));
}
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::add, T> task<std::optional<T>> all_sum(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return all_reduce(a, op::add{}, at);
  }
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::mul, T> task<std::optional<T>> all_prod(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return all_reduce(a, op::mul{}, at);
  }
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::min, T> task<std::optional<T>> all_min(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return all_reduce(a, op::min{}, at);
  }
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::max, T> task<std::optional<T>> all_max(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return all_reduce(a, op::max{}, at);
  }
template <array_element T, array_layout Layout, class Access>
  requires operation_on<op::min, T> task<std::optional<located_extremes<T>>> all_min_max(
      const array<T, Layout, Access>& a,
      std::source_location at = std::source_location::current()) {
    return all_elements(a, at)
        .enumerate()
        .map(detail::to_extremes<located_extremes<T>>{})
        .reduce(detail::join_extremes{});
  }

}  // namespace lamellar
