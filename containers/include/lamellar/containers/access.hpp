// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/containers/detail/element.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/global_rw_darc.hpp>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <string_view>

// Who may do what to the elements of an array, and what keeps them whole. A policy is a type
// without state:
//
//   atomic       every operation on an element is atomic: by the processor's instructions where
//                it has them for the type, else by one of a few locks on the owner
//   local_lock   one lock for readers or a writer on each PE, over all that it owns
//   global_lock  one lock for readers or a writer over the whole array
//   read_only    nobody writes: elements may be read from anywhere at any time
//   unsafe       nothing is kept: whoever uses it sees to it that nothing collides
//
// `handle<Part>` is what keeps an array's parts. Where `direct_reads<T>` or `direct_writes<T>`
// hold, a PE may touch another's element through mapped memory; everything else is done by the
// owner.
namespace lamellar {

namespace detail {

/// Elements as they are; all is done by the owner.
struct plain_policy {
  static constexpr bool writes = true;
  static constexpr bool locks = false;
  template <class T>
  static constexpr bool direct_reads = false;
  template <class T>
  static constexpr bool direct_writes = false;
  template <class Part>
  using handle = darc<Part>;
  template <class T>
  using element = plain_element<T>;
};

}  // namespace detail

namespace access {

struct atomic : detail::plain_policy {
  static constexpr std::string_view name = "atomic";
  template <class T>
  static constexpr bool direct_reads = detail::native_atomic<T>;
  template <class T>
  static constexpr bool direct_writes = detail::native_atomic<T>;
  template <class T>
  using element = std::conditional_t<detail::native_atomic<T>, detail::native_element<T>,
                                     detail::striped_element<T>>;
};

struct unsafe : detail::plain_policy {
  static constexpr std::string_view name = "unsafe";
  template <class T>
  static constexpr bool direct_reads = bitwise<T>;
  template <class T>
  static constexpr bool direct_writes = bitwise<T>;
};

struct read_only : detail::plain_policy {
  static constexpr std::string_view name = "read_only";
  static constexpr bool writes = false;
  template <class T>
  static constexpr bool direct_reads = bitwise<T>;
};

struct local_lock : detail::plain_policy {
  static constexpr std::string_view name = "local_lock";
  static constexpr bool locks = true;
  template <class Part>
  using handle = local_rw_darc<Part>;
};

struct global_lock : detail::plain_policy {
  static constexpr std::string_view name = "global_lock";
  static constexpr bool locks = true;
  template <class Part>
  using handle = global_rw_darc<Part>;
};

}  // namespace access

/// A policy whose elements may be changed.
template <class A>
concept writable = A::writes;

/// A policy under which elements are reached through guards.
template <class A>
concept locked = A::locks;

}  // namespace lamellar
