// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

// Which values may travel as their bytes. "Trivially copyable" is not enough: a pointer is
// trivially copyable, and means nothing on another PE. So the rule is recursive: numbers,
// enumerations, empty classes, and arrays, pairs and aggregates of such. An aggregate that
// holds a pointer, a reference or a member of unknown kind is not bitwise. A class with
// constructors cannot be looked into and is therefore believed only if its author says so, in
// one line:
//
//   template <> inline constexpr bool lamellar::enable_bitwise<my_class> = true;
//
// Everything here is decided by the compiler; nothing is left at run time.

namespace lamellar {

/// Say that a trivially copyable class with constructors holds no address and may travel as its
/// bytes.
template <class T>
inline constexpr bool enable_bitwise = false;

namespace detail {

/// Copying is copying bytes. This asks for less than is_trivially_copyable: assignment does not
/// matter here, that of a pair is not trivial, and GCC 12 says that a closure is not trivially
/// copyable once anybody has asked whether it can be assigned.
template <class T>
inline constexpr bool copies_as_bytes =
    std::is_trivially_copy_constructible_v<T>&& std::is_trivially_destructible_v<T>;

/// Integers of 128 bits, which the standard library does not count among its own.
__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;
template <class T>
inline constexpr bool is_int128 = std::same_as<T, int128> || std::same_as<T, uint128>;

template <class T>
consteval bool is_bitwise();

}  // namespace detail

/// A value that means the same on every PE when its bytes are copied there. Never a pointer or
/// a reference.
///
/// An array member counts element by element, and more than 510 members are not looked through:
/// use std::array, which counts as one.
template <class T>
concept bitwise = detail::is_bitwise<T>();

/// Number of bytes that a bitwise value takes in a record. Empty classes take none.
template <bitwise T>
inline constexpr std::size_t bitwise_size = std::is_empty_v<T> ? 0 : sizeof(T);

/// Copy the bytes of `value` to `out`, which may be unaligned. Return the first byte after
/// them.
template <bitwise T>
inline std::byte* write_bitwise(std::byte* out, const T& value) noexcept {
  if constexpr (bitwise_size<T> != 0) {
    std::memcpy(out, &value, sizeof(T));
  }
  return out + bitwise_size<T>;
}

/// Make a value from the bytes at `in`, which may be unaligned.
template <bitwise T>
  requires(!std::is_array_v<T>)
[[nodiscard]] inline T read_bitwise(const std::byte* in) noexcept {
  if constexpr (std::is_empty_v<T>) {
    return T{};
  } else if constexpr (std::same_as<T, bool>) {
    return *in != std::byte{0};  // any byte but 0 and 1 in a bool would be undefined behaviour
  } else {
    alignas(T) std::byte raw[sizeof(T)];
    std::memcpy(raw, in, sizeof(T));
    return *std::launder(reinterpret_cast<const T*>(raw));
  }
}

// ---- detail ----------------------------------------------------------------------

namespace detail {

// The members of an aggregate cannot be listed in C++20, but they can be initialised: `graded`
// converts to whatever a member wants to be, and the conversion is noexcept exactly if that
// type is bitwise. Initialising every member from one `graded` is then noexcept exactly if all
// members are bitwise. The rest is finding out how many there are.

//
// A member with a constructor for everything, such as std::optional, could be made by that
// constructor instead, which says nothing. `const` makes this constructor the better match for
// `anything`, so that such a member counts; without it the match is ambiguous for `graded`, so
// that such a member is not bitwise.

struct anything {
  template <class U>
  operator U() const;
};

struct graded {
  template <class U>
    requires std::same_as<U, U>  // or clang finds a constrained constructor more special
  operator U() noexcept(is_bitwise<U>());
};

template <class Probe, std::size_t>
using repeated = Probe;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-braces"
#pragma GCC diagnostic ignored "-Wconversion"  // choosing a constructor over a conversion

template <class T, std::size_t... I>
consteval bool initialises(std::index_sequence<I...>) {
  return requires { T{repeated<anything, I>{}...}; };
}

template <class T, std::size_t... I>
consteval bool has_member_after(std::index_sequence<I...>) {
  return requires { T{repeated<anything, I>{}..., {}}; }
  || requires { T{repeated<anything, I>{}..., {anything{}}}; };
}

template <class T, std::size_t... I>
consteval bool members_are_bitwise(std::index_sequence<I...>) {
  return requires {
    {
      T { repeated<graded, I>{}... }
    }
    noexcept;
  };
}

#pragma GCC diagnostic pop

template <class T, std::size_t N>
inline constexpr bool takes = initialises<T>(std::make_index_sequence<N>{});

/// The largest number of initialisers in [Low, High) that T takes. It takes Low; it does not
/// take High.
template <class T, std::size_t Low, std::size_t High>
consteval std::size_t bisect_initialisers() {
  if constexpr (High - Low == 1) {
    return Low;
  } else if constexpr (takes<T, (Low + High) / 2>) {
    return bisect_initialisers<T, (Low + High) / 2, High>();
  } else {
    return bisect_initialisers<T, Low, (Low + High) / 2>();
  }
}

inline constexpr std::size_t most_initialisers = 510;

template <class T, std::size_t Low>
consteval std::size_t grow_initialisers() {
  if constexpr (Low > most_initialisers) {
    return 0;
  } else if constexpr (takes<T, 2 * Low + 1>) {
    return grow_initialisers<T, 2 * Low + 1>();
  } else {
    return bisect_initialisers<T, Low, 2 * Low + 1>();
  }
}

/// The number of initialisers of aggregate T, array members counted by element; 0 if that
/// cannot be found out. Members that cannot be left out (no default constructor) make the small
/// numbers fail, hence the search upwards.
template <class T, std::size_t First = 0>
consteval std::size_t count_initialisers() {
  if constexpr (takes<T, First>) {
    return grow_initialisers<T, First>();
  } else if constexpr (First < 64) {
    return count_initialisers<T, First + 1>();
  } else {
    return 0;
  }
}

template <class T>
consteval bool is_bitwise_aggregate() {
  constexpr std::size_t count = count_initialisers<T>();
  using all = std::make_index_sequence<count>;
  if constexpr (count == 0) {
    return false;
  } else if constexpr (has_member_after<T>(all{})) {
    return false;  // a member that does not say what it is
  } else {
    return members_are_bitwise<T>(all{});
  }
}

template <class T>
inline constexpr bool is_bitwise_pair = false;
template <class First, class Second>
inline constexpr bool is_bitwise_pair<std::pair<First, Second>> =
    is_bitwise<First>() && is_bitwise<Second>();

template <class T>
inline constexpr bool is_bitwise_array = false;
template <class T, std::size_t N>
inline constexpr bool is_bitwise_array<std::array<T, N>> = is_bitwise<T>();

template <class T>
consteval bool is_bitwise() {
  if constexpr (std::is_const_v<T> || std::is_volatile_v<T> || std::is_reference_v<T>) {
    return false;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || is_int128<T>) {
    return true;
  } else if constexpr (std::is_bounded_array_v<T>) {
    return is_bitwise<std::remove_extent_t<T>>();
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
    return false;  // pointers of every kind, functions, void
  } else if constexpr (enable_bitwise<T>) {
    return copies_as_bytes<T>;
  } else if constexpr (is_bitwise_pair<T> || is_bitwise_array<T>) {
    return true;
  } else if constexpr (!copies_as_bytes<T>) {
    return false;
  } else if constexpr (std::is_empty_v<T>) {
    return std::is_default_constructible_v<T>;
  } else if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T>) {
    return false;  // cannot be looked into
  } else if constexpr (!std::is_copy_assignable_v<T>) {
    return false;  // a reference among the members, or a constant
  } else {
    return is_bitwise_aggregate<T>();
  }
}

}  // namespace detail

}  // namespace lamellar
