// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/kokkos_view.hpp>

// This PE's elements of an array as Kokkos sees them: of an array without locks, or of what a
// guard gives. Of an atomic array nobody may see plain memory but by
// as_view(a.local().plain()), which says what it asks for. A header of its own, because Kokkos
// takes seconds to compile.
//
// Thread-safety: a view may be used wherever the span behind it may be.
namespace lamellar {

/// What is here of an unsafe array or a view of one, for Kokkos: element k is that with
/// a.global_index(k). It must not outlive the array. Kokkos must be running: on_node::start, or
/// Kokkos::initialize.
template <array_element T, array_layout Layout>
[[nodiscard]] local_view<T> as_view(const unsafe_array<T, Layout>& a) {
  return as_view(a.local());
}
/// The same, to be read.
template <array_element T, array_layout Layout>
[[nodiscard]] local_view<const T> as_view(const read_only_array<T, Layout>& a) {
  return as_view(a.local());
}
/// The same for what a guard gives access to; it must not outlive the guard.
template <class Array, detail::access Which>
[[nodiscard]] auto as_view(const array_guard<Array, Which>& guard) {
  return as_view(guard.local());
}

}  // namespace lamellar
