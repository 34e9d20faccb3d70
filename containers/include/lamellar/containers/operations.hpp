// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <concepts>
#include <lamellar/substrate/bitwise.hpp>
#include <type_traits>

// What can be done to an element, each a pure function from the old value and an operand to the
// new value. An operation is a callable without state; a user's own is as good.
//
// Integers wrap around. A shift by as many bits as the type has, or more, shifts all of them
// out; by a negative number of bits it is refused. Division by zero is refused where the
// operation is asked for, before anything happens; the smallest integer divided by -1 is
// itself, with remainder 0. `bool` has bit operations, floating point has no bit operations and
// no shifts, a class has what its operators give.
namespace lamellar {

namespace detail {

/// The operations below: none of them throws, and they may be put off and gathered.
struct library_operation {};

/// Integers of 8 to 128 bits; not bool.
template <class T>
inline constexpr bool is_integer = (std::integral<T> && !std::same_as<T, bool>) || is_int128<T>;

template <class T>
struct unsigned_twin : std::make_unsigned<T> {};
template <>
struct unsigned_twin<int128> : std::type_identity<uint128> {};
template <>
struct unsigned_twin<uint128> : std::type_identity<uint128> {};

/// As an unsigned integer that is not promoted to a signed one.
template <class T>
constexpr auto as_unsigned(T v) {
  using u = typename unsigned_twin<T>::type;
  using wide = std::conditional_t<(sizeof(u) < sizeof(unsigned)), unsigned, u>;
  return static_cast<wide>(static_cast<u>(v));
}
template <class T>
inline constexpr bool is_negative_possible = false;
template <class T>
  requires is_integer<T>
inline constexpr bool is_negative_possible<T> = static_cast<T>(-1) < T{0};

template <class T>
constexpr bool is_nan(const T& v) {
  if constexpr (std::floating_point<T>) {
    return v != v;
  } else {
    return false;
  }
}

}  // namespace detail

namespace op {

struct swap : detail::library_operation {
  template <class T>
  constexpr T operator()(const T&, const T& value) const {
    return value;
  }
};

struct add : detail::library_operation {
  template <class T>
    requires detail::is_integer<T> || requires(T a) { T(a + a); }
  constexpr T operator()(T a, T b) const requires(!std::same_as<T, bool>) {
    if constexpr (detail::is_integer<T>) {
      return static_cast<T>(detail::as_unsigned(a) + detail::as_unsigned(b));
    } else {
      return a + b;
    }
  }
};

struct sub : detail::library_operation {
  template <class T>
    requires detail::is_integer<T> || requires(T a) { T(a - a); }
  constexpr T operator()(T a, T b) const requires(!std::same_as<T, bool>) {
    if constexpr (detail::is_integer<T>) {
      return static_cast<T>(detail::as_unsigned(a) - detail::as_unsigned(b));
    } else {
      return a - b;
    }
  }
};

struct mul : detail::library_operation {
  template <class T>
    requires detail::is_integer<T> || requires(T a) { T(a * a); }
  constexpr T operator()(T a, T b) const requires(!std::same_as<T, bool>) {
    if constexpr (detail::is_integer<T>) {
      return static_cast<T>(detail::as_unsigned(a) * detail::as_unsigned(b));
    } else {
      return a * b;
    }
  }
};

struct div : detail::library_operation {
  template <class T>
    requires detail::is_integer<T> || requires(T a) { T(a / a); }
  constexpr T operator()(T a, T b) const requires(!std::same_as<T, bool>) {
    if constexpr (detail::is_negative_possible<T>) {
      if (b == T(-1)) {
        return sub{}(T{0}, a);
      }
    }
    return static_cast<T>(a / b);
  }
};

struct rem : detail::library_operation {
  template <class T>
    requires detail::is_integer<T> || std::floating_point<T> || requires(T a) { T(a % a); }
  constexpr T operator()(T a, T b) const requires(!std::same_as<T, bool>) {
    if constexpr (std::floating_point<T>) {
      return std::fmod(a, b);
    } else {
      if constexpr (detail::is_negative_possible<T>) {
        if (b == T(-1)) {
          return T{0};
        }
      }
      return static_cast<T>(a % b);
    }
  }
};

struct bit_and : detail::library_operation {
  template <class T>
    requires(detail::is_integer<T> || requires(T a) { T(a & a); })
  constexpr T operator()(T a, T b) const { return static_cast<T>(a & b); }
};

struct bit_or : detail::library_operation {
  template <class T>
    requires(detail::is_integer<T> || requires(T a) { T(a | a); })
  constexpr T operator()(T a, T b) const { return static_cast<T>(a | b); }
};

struct bit_xor : detail::library_operation {
  template <class T>
    requires(detail::is_integer<T> || requires(T a) { T(a ^ a); })
  constexpr T operator()(T a, T b) const { return static_cast<T>(a ^ b); }
};

struct shl : detail::library_operation {
  template <class T>
    requires detail::is_integer<T>
  constexpr T operator()(T a, T bits) const {
    return detail::as_unsigned(bits) >= 8 * sizeof(T)
               ? T{0}
               : static_cast<T>(detail::as_unsigned(a) << static_cast<int>(bits));
  }
};

struct shr : detail::library_operation {
  template <class T>
    requires detail::is_integer<T>
  constexpr T operator()(T a, T bits) const {
    if (detail::as_unsigned(bits) >= 8 * sizeof(T)) {
      return a < T{0} ? static_cast<T>(-1) : T{0};
    }
    return static_cast<T>(a >> static_cast<int>(bits));
  }
};

/// The smaller one; a NaN counts as larger than any number.
struct min : detail::library_operation {
  template <class T>
    requires requires(T a) { a < a; }
  constexpr T operator()(const T& a, const T& b) const {
    return b < a || detail::is_nan(a) ? b : a;
  }
};

/// The larger one; a NaN counts as smaller than any number.
struct max : detail::library_operation {
  template <class T>
    requires requires(T a) { a < a; }
  constexpr T operator()(const T& a, const T& b) const {
    return a < b || detail::is_nan(a) ? b : a;
  }
};

}  // namespace op

/// An operation that T has: `op(old, operand)` gives the new value.
template <class Op, class T>
concept operation_on = std::is_empty_v<Op> && requires(const Op f, const T& old, const T& v) {
  { f(old, v) } -> std::convertible_to<T>;
};

}  // namespace lamellar
