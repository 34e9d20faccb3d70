// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <lamellar/substrate/archive.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/fields.hpp>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// Which types may be arguments, results and members of messages. A type travels if it is
//   bitwise        numbers, enumerations, and arrays, pairs and aggregates of those;
//   a container    or another standard type that cereal serialises, of things that travel;
//   a class        with cereal's serialize, or save and load, and a default constructor;
//   an aggregate   of up to 16 members that travel, without any code.
// A pointer never does, however deep it hides. Views (std::string_view, std::span<const T>) are
// not transferable, for they own nothing; but a handler may take them as parameters and then
// reads the arrived bytes in place.

namespace lamellar {

namespace detail {
template <class T>
consteval bool travels();
}  // namespace detail

/// A value that can be sent to another PE.
template <class T>
concept transferable = bitwise<T> || detail::travels<T>();

namespace detail {
template <class T>
inline constexpr bool is_element_view = false;
template <class T>
inline constexpr bool is_element_view<std::span<const T>> =
    bitwise<T> && !std::is_empty_v<T> && alignof(T) <= 8;
}  // namespace detail

/// A parameter that reads the arrived record in place: std::string_view, or std::span<const T>
/// of bitwise T.
template <class T>
concept view = std::same_as<T, std::string_view> || detail::is_element_view<T>;

/// What a handler may take by value or by const reference, once references are stripped.
template <class T>
concept message_argument = transferable<T> || view<T>;

/// Refuse to compile, with words that help, unless T may be an argument of a message.
template <class T>
consteval void check_message_argument();

// ---- detail ----------------------------------------------------------------------
// ---- detail ----------------------------------------------------------------------

namespace detail {

/// Type arguments of a class template: each must travel, but for empty ones such as allocators
/// and comparisons.
template <class T>
inline constexpr bool arguments_travel = true;
template <template <class...> class Template, class... Arguments>
inline constexpr bool arguments_travel<Template<Arguments...>> =
    ((std::is_void_v<Arguments> || std::is_empty_v<Arguments> ||
      transferable<std::remove_cv_t<Arguments>>)&&...);
template <class T, std::size_t N>
inline constexpr bool arguments_travel<std::array<T, N>> = transferable<T>;

template <class Tuple>
inline constexpr bool members_travel = false;
template <class... Members>
inline constexpr bool members_travel<std::tuple<Members&...>> = (transferable<Members> && ...);

template <class T>
concept serialised_by_member = cereal::traits::has_member_serialize<T, probe::output>::value ||
    cereal::traits::has_member_save<T, probe::output>::value ||
    cereal::traits::has_member_save_minimal<T, probe::output>::value;

template <class T>
concept archivable = cereal::traits::is_output_serializable<T, output_archive>::value &&
    cereal::traits::is_input_serializable<T, input_archive>::value;

template <class T>
consteval bool travels() {
  if constexpr (std::is_const_v<T> || std::is_volatile_v<T> || std::is_reference_v<T>) {
    return false;
  } else if constexpr (bitwise<T>) {
    return true;
  } else if constexpr (std::is_bounded_array_v<T>) {
    return transferable<std::remove_extent_t<T>>;
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
    return false;
  } else if constexpr (std::is_polymorphic_v<T> && !self_serialising<T>) {
    return false;
  } else if constexpr (self_serialising<T> || !listable<T>) {
    return archivable<T> && std::default_initializable<T> &&
           (serialised_by_member<T> || arguments_travel<T>);
  } else {
    return members_travel<decltype(fields(std::declval<T&>()))>;
  }
}

template <class T>
inline constexpr bool is_span = false;
template <class T, std::size_t N>
inline constexpr bool is_span<std::span<T, N>> = true;

template <class T>
inline constexpr bool is_closure_like =
    std::is_class_v<T> && !std::is_empty_v<T> && !std::is_aggregate_v<T> &&
    !std::is_default_constructible_v<T> && requires {
  &T::operator();
};

}  // namespace detail

template <class T>
consteval void check_message_argument() {
  static_assert(
      !std::is_pointer_v<T> && !std::is_null_pointer_v<T>,
      "a pointer cannot travel: it means nothing on another PE; send the value it points "
      "to, or std::string_view / std::span<const T>, or a darc");
  static_assert(
      !std::is_member_pointer_v<T>,
      "a pointer to a member cannot travel: name the operation by a stateless callable");
  static_assert(!std::is_reference_v<T>,
                "a reference cannot travel: take the parameter by value");
  static_assert(
      !detail::is_span<T> || view<T>,
      "a span parameter must be std::span<const T> of a bitwise T that is aligned to 8 "
      "bytes or less, for it reads the arrived record in place");
  static_assert(!detail::is_closure_like<T>,
                "a lambda with captures cannot travel as it is: pass the captured values as "
                "arguments, or wrap the lambda in lamellar::by_value(...)");
  static_assert(!enable_bitwise<T> || detail::copies_as_bytes<T>,
                "lamellar::enable_bitwise is set for a class that is not trivially copyable");
  if constexpr (!std::is_pointer_v<T> && !std::is_null_pointer_v<T> &&
                !std::is_member_pointer_v<T> && !std::is_reference_v<T> &&
                !detail::is_span<T> && !detail::is_closure_like<T> && !enable_bitwise<T>) {
    static_assert(
        message_argument<T>,
        "this type cannot travel: give it a cereal serialize member and a default "
        "constructor, make it an aggregate of at most 16 transferable members (no "
        "pointers, no references), or, if it is trivially copyable and holds no address, "
        "say template <> inline constexpr bool lamellar::enable_bitwise<T> = true");
  }
}

}  // namespace lamellar
