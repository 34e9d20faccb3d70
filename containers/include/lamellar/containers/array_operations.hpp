// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <lamellar/containers/access.hpp>
#include <lamellar/containers/detail/action.hpp>
#include <lamellar/containers/operations.hpp>
#include <lamellar/substrate/by_value.hpp>
#include <lamellar/substrate/error.hpp>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <vector>

// The operations of an array by name. Each takes one place or a list of places, and one value
// or a list of values:
//
//   a.add(i, v)           one place, one value
//   a.add(indices, v)     many places, the same value
//   a.add(i, values)      one place, all values, in any order
//   a.add(indices, values)  the k-th value to the k-th place; lists of equal length
//
// What returns void is buffered and one-sided: done after wait_all() here, for all PEs after
// quiesce(). What is called fetch_..., and load, swap and compare_exchange, gives the old
// value, or a vector of them in the order of the lists. A list may be any contiguous range
// (vector, span, array); nothing of it is needed once the call has returned.
//
// Operations on one element are done one after the other, in an order that nothing promises;
// several PEs' operations on one element are all done, unless the access is `unsafe`.
//
// Cost, with n elements: O(n) and no communication where the element's memory is mapped here
// and the access allows it; else a record of an offset and a value to the owner for each,
// gathered in buffers, and as many values back. Threads: any. Not collective. Requires: every
// index < size(). Sources: Lamellar's array operations, bale's histogram and indexgather.
namespace lamellar {

/// The operand of an operation is refused: a divisor of 0, a negative number of bits.
class bad_operand : public error {
 public:
  using error::error;
};

namespace detail {

template <class T>
concept index = std::integral<T> && !std::same_as<T, bool>;

template <class R>
concept list = std::ranges::contiguous_range<const R> && std::ranges::sized_range<const R>;

template <class R>
using listed_value = std::remove_cv_t<std::ranges::range_value_t<const R>>;

}  // namespace detail

/// Where an operation works: an index, or a list of indices.
template <class I>
concept element_position = detail::index<I> ||
    (detail::list<I>&& detail::index<detail::listed_value<I>>);

/// What an operation works with: a T, or a list of T.
template <class V, class T>
concept operand_of = std::convertible_to<V, T> ||
    (detail::list<V>&& std::same_as<detail::listed_value<V>, T>);

/// An array with this access whose elements have the operation.
template <class Access, class T, class Op>
concept updatable = writable<Access> && operation_on<Op, T>;

/// A function from the old value and operands to the new value that can travel.
template <class F, class T, class... Args>
concept element_function = requires(const F f, const T& old, const Args&... args) {
  { f(old, args...) } -> std::convertible_to<T>;
};

template <class Array, class T, class Access>
class array_operations {
 public:
  /// The element, or a vector of those at all places.
  template <element_position I>
  auto load(const I& at, std::source_location where = std::source_location::current()) const {
    return self().template ask<detail::load_action<T>>(at, detail::nothing{}, where);
  }
  /// Let the element be `value`.
  template <element_position I, class V>
  void store(const I& at, const V& value,
             std::source_location where = std::source_location::current())
      const requires writable<Access> && operand_of<V, T> {
    self().template tell<detail::store_action<T>>(at, value, where);
  }
  /// The same, and give what was there before.
  template <element_position I, class V>
  auto swap(const I& at, const V& value,
            std::source_location where = std::source_location::current())
      const requires writable<Access> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::swap>>(at, value, where);
  }

  /// Add `value` to the element.
  template <element_position I, class V>
  void add(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::add> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::add>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_add(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::add> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::add>>(at, value, where);
  }

  /// Subtract `value` from the element.
  template <element_position I, class V>
  void sub(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::sub> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::sub>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_sub(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::sub> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::sub>>(at, value, where);
  }

  /// Multiply the element by `value`.
  template <element_position I, class V>
  void mul(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::mul> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::mul>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_mul(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::mul> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::mul>>(at, value, where);
  }

  /// Divide the element by `value`. Throws: bad_operand if T is an integer and a value is 0.
  template <element_position I, class V>
  void div(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::div> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::div>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_div(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::div> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::div>>(at, value, where);
  }

  /// Let the element be its remainder by `value`. Throws: bad_operand if T is an integer and a
  /// value is 0.
  template <element_position I, class V>
  void rem(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::rem> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::rem>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_rem(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::rem> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::rem>>(at, value, where);
  }

  /// Let the element be its bitwise and with `value`.
  template <element_position I, class V>
  void bit_and(const I& at, const V& value,
               std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::bit_and> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::bit_and>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_bit_and(const I& at, const V& value,
                     std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::bit_and> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::bit_and>>(at, value, where);
  }

  /// Let the element be its bitwise or with `value`.
  template <element_position I, class V>
  void bit_or(const I& at, const V& value,
              std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::bit_or> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::bit_or>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_bit_or(const I& at, const V& value,
                    std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::bit_or> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::bit_or>>(at, value, where);
  }

  /// Let the element be its bitwise exclusive or with `value`.
  template <element_position I, class V>
  void bit_xor(const I& at, const V& value,
               std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::bit_xor> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::bit_xor>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_bit_xor(const I& at, const V& value,
                     std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::bit_xor> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::bit_xor>>(at, value, where);
  }

  /// Shift the element's bits up by `value`. Throws: bad_operand if a value is negative.
  template <element_position I, class V>
  void shl(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::shl> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::shl>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_shl(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::shl> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::shl>>(at, value, where);
  }

  /// Shift the element's bits down by `value`. Throws: bad_operand if a value is negative.
  template <element_position I, class V>
  void shr(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::shr> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::shr>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_shr(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::shr> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::shr>>(at, value, where);
  }

  /// Let the element be the smaller one of itself and `value`.
  template <element_position I, class V>
  void min(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::min> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::min>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_min(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::min> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::min>>(at, value, where);
  }

  /// Let the element be the larger one of itself and `value`.
  template <element_position I, class V>
  void max(const I& at, const V& value,
           std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::max> && operand_of<V, T> {
    self().template tell<detail::update_action<T, op::max>>(at, value, where);
  }
  template <element_position I, class V>
  auto fetch_max(const I& at, const V& value,
                 std::source_location where = std::source_location::current())
      const requires updatable<Access, T, op::max> && operand_of<V, T> {
    return self().template ask<detail::update_action<T, op::max>>(at, value, where);
  }

  /// Replace the element by `desired` if it is `expected`; tell what it was, and whether.
  template <element_position I>
  auto compare_exchange(const I& at, const T& expected, const T& desired,
                        std::source_location where = std::source_location::current())
      const requires writable<Access> && std::equality_comparable<T> {
    using action = detail::compare_action<T>;
    return self().template ask<action>(at, typename action::operand{expected, desired}, where);
  }
  /// The same with values of their own: the k-th for the k-th place. Requires: lists of equal
  /// length.
  template <element_position I, class V>
  auto compare_exchange(const I& at, const T& expected, const V& desired,
                        std::source_location where = std::source_location::current())
      const requires writable<Access> && std::equality_comparable<T> && detail::list<V> &&
      std::same_as<detail::listed_value<V>, T> {
    using action = detail::compare_action<T>;
    std::vector<typename action::operand> each;
    each.reserve(std::ranges::size(desired));
    for (const T& one : desired) {
      each.push_back({expected, one});
    }
    return self().template ask<action>(at, each, where);
  }
  /// The same where "is" means: less than `epsilon` apart.
  template <element_position I>
  auto compare_exchange(const I& at, const T& expected, const T& desired, const T& epsilon,
                        std::source_location where = std::source_location::current())
      const requires writable<Access> && std::floating_point<T> {
    using action = detail::compare_epsilon_action<T>;
    return self().template ask<action>(at, typename action::operand{expected, desired, epsilon},
                                       where);
  }

  /// Let the element be f(element, args...). `f` is a pure function, which may be called more
  /// than once for one update: a callable without state, or by_value() of a closure.
  template <element_position I, class F, class... Args>
  void update(const F& f, const I& at, const Args&... args) const requires writable<Access> &&
      element_function<F, T, Args...> {
    using action = detail::apply_action<T, F, Args...>;
    self().template tell<action>(at, detail::bound<action>(f, args...),
                                 std::source_location::current());
  }
  /// The same, and give what was there before.
  template <element_position I, class F, class... Args>
  auto fetch_update(const F& f, const I& at, const Args&... args)
      const requires writable<Access> && element_function<F, T, Args...> {
    using action = detail::apply_action<T, F, Args...>;
    return self().template ask<action>(at, detail::bound<action>(f, args...),
                                       std::source_location::current());
  }

 private:
  const Array& self() const { return static_cast<const Array&>(*this); }
};

}  // namespace lamellar
