// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/archive.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/bytes.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/fields.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <new>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// How one argument becomes bytes and back:
//   bitwise                      its bytes, unaligned; an empty class: none
//   a handle                     its number
//   std::string, string_view     length, bytes
//   vector of bitwise            length, elements, unaligned
//   span of bitwise              length, zeros up to the alignment of T within the record,
//   elements aggregate with other members its members in turn everything else whatever cereal
//   writes into our archive
// What is sent may differ from what the handler takes: `encode<Parameter>(writer, given)`
// converts first, without copying strings or ranges for it.

namespace lamellar {

namespace detail {

template <class T>
inline constexpr bool is_bulk_vector = false;
template <class T, class Allocator>
inline constexpr bool is_bulk_vector<std::vector<T, Allocator>> =
    bitwise<T> && !std::same_as<T, bool>;

template <class T>
concept text = std::same_as<T, std::string> || std::same_as<T, std::string_view>;

template <class T>
concept bulk = is_bulk_vector<T> || is_element_view<T>;

/// Ranges whose elements can be copied as a block into a parameter of type `Parameter`.
template <class Given, class Parameter>
concept block_of = bulk<Parameter> && std::ranges::contiguous_range<const Given&> &&
                   std::ranges::sized_range<const Given&> &&
                   std::same_as < std::ranges::range_value_t<const Given&>,
typename Parameter::value_type > ;

}  // namespace detail

/// A handle that travels as a number, from which every PE makes its own.
template <class T>
concept numbered_handle = requires(const T& handle, std::uint32_t number, void* owner) {
  { handle.travelling_number() } -> std::same_as<std::uint32_t>;
  { T::from_number(owner, number) } -> std::same_as<T>;
};

namespace detail {

/// An argument whose size is known: it may lie in a fixed record.
template <class T>
inline constexpr bool is_flat = bitwise<T> || numbered_handle<T>;

template <class T>
constexpr std::size_t size_of_flat() {
  if constexpr (numbered_handle<T>) {
    return sizeof(std::uint32_t);
  } else {
    return bitwise_size<T>;
  }
}

template <class T>
T read_flat(const std::byte* in, [[maybe_unused]] void* owner) {
  if constexpr (numbered_handle<T>) {
    return T::from_number(owner, read_bitwise<std::uint32_t>(in));
  } else {
    return read_bitwise<T>(in);
  }
}

}  // namespace detail

/// Something that can be sent to a parameter of type `Parameter`.
template <class Given, class Parameter>
concept sendable_as = std::convertible_to<const Given&, Parameter> ||
    detail::block_of<Given, Parameter> ||
    (detail::text<Parameter>&& std::convertible_to<const Given&, std::string_view>);

/// Append `given` as an argument of type `Parameter`.
template <message_argument Parameter, sendable_as<Parameter> Given>
void encode(byte_writer& out, const Given& given);

/// Read an argument of type `Parameter`. A view points into the record. Throws:
/// corrupt_message.
template <message_argument Parameter>
[[nodiscard]] Parameter decode(byte_reader& in);

// ---- detail ----------------------------------------------------------------------
// ---- detail ----------------------------------------------------------------------

namespace detail {

inline void encode_text(byte_writer& out, std::string_view text) noexcept {
  out.put_length(text.size());
  out.put(text.data(), text.size());
}

template <class T>
void encode_block(byte_writer& out, std::span<const T> values, bool in_place) noexcept {
  out.put_length(values.size());
  if (in_place) {
    out.align(alignof(T));
  }
  out.put(values.data(), values.size_bytes());
}

template <class T>
void encode_exactly(byte_writer& out, const T& value) {
  if constexpr (bitwise<T>) {
    out.put_value(value);
  } else if constexpr (numbered_handle<T>) {
    const std::uint32_t number = value.travelling_number();
    out.put_value(number);
    if (number != 0) {
      out.note_handle(number);
    }
  } else if constexpr (text<T>) {
    encode_text(out, value);
  } else if constexpr (bulk<T>) {
    encode_block<typename T::value_type>(out, value, view<T>);
  } else if constexpr (std::is_array_v<T>) {
    for (const auto& element : value) {
      encode_exactly(out, element);
    }
  } else if constexpr (listable<T> && !self_serialising<T>) {
    std::apply([&](const auto&... member) { (encode_exactly(out, member), ...); },
               fields(value));
  } else {
    output_archive archive{out};
    archive(value);
  }
}

template <class T>
void load_archived(byte_reader& in, T& value) {
  try {
    input_archive archive{in};
    archive(value);
  } catch (const cereal::Exception& refusal) {
    throw corrupt_message{refusal.what()};
  } catch (const std::length_error& refusal) {
    throw corrupt_message{refusal.what()};
  }
}

template <class T>
T decode_archived(byte_reader& in) {
  T value{};
  load_archived(in, value);
  return value;
}

template <class T>
void decode_into(byte_reader& in, T& value) {
  if constexpr (std::is_array_v<T>) {
    for (auto& element : value) {
      decode_into(in, element);
    }
  } else {
    value = decode<T>(in);
  }
}

template <class T, class... Members>
T decode_members(byte_reader& in, std::type_identity<std::tuple<Members&...>>) {
  if constexpr ((std::is_array_v<Members> || ...)) {  // an array cannot be an initialiser
    T value{};
    std::apply([&](auto&... member) { (decode_into(in, member), ...); }, fields(value));
    return value;
  } else {
    return T{decode<Members>(in)...};  // braces: in this order
  }
}

template <class T>
T decode_block(byte_reader& in) {
  using element = typename T::value_type;
  const std::uint64_t count = in.get_length();
  if constexpr (view<T>) {
    in.align(alignof(element));
    const std::byte* const from = in.take(count, sizeof(element));
    return T{std::launder(reinterpret_cast<const element*>(from)),
             static_cast<std::size_t>(count)};
  } else {
    T values;
    archives::append_bitwise(in, count, values);
    return values;
  }
}

template <class T>
T decode_text(byte_reader& in) {
  const std::uint64_t size = in.get_length();
  return T{reinterpret_cast<const char*>(in.take(size, 1)), static_cast<std::size_t>(size)};
}

}  // namespace detail

template <message_argument Parameter, sendable_as<Parameter> Given>
void encode(byte_writer& out, const Given& given) {
  if constexpr (std::same_as<Given, Parameter>) {
    detail::encode_exactly(out, given);
  } else if constexpr (detail::text<Parameter> &&
                       std::convertible_to<const Given&, std::string_view>) {
    detail::encode_text(out, given);
  } else if constexpr (detail::block_of<Given, Parameter>) {
    using element = typename Parameter::value_type;
    detail::encode_block<element>(out, {std::ranges::data(given), std::ranges::size(given)},
                                  view<Parameter>);
  } else if constexpr (std::is_arithmetic_v<Given> && std::is_arithmetic_v<Parameter>) {
    out.put_value(static_cast<Parameter>(given));
  } else {
    const Parameter converted = given;
    detail::encode_exactly(out, converted);
  }
}

template <message_argument Parameter>
Parameter decode(byte_reader& in) {
  if constexpr (bitwise<Parameter>) {
    return in.get_value<Parameter>();
  } else if constexpr (numbered_handle<Parameter>) {
    return Parameter::from_number(in.owner(), in.get_value<std::uint32_t>());
  } else if constexpr (detail::text<Parameter>) {
    return detail::decode_text<Parameter>(in);
  } else if constexpr (detail::bulk<Parameter>) {
    return detail::decode_block<Parameter>(in);
  } else if constexpr (listable<Parameter> && !self_serialising<Parameter>) {
    using members = decltype(fields(std::declval<Parameter&>()));
    return detail::decode_members<Parameter>(in, std::type_identity<members>{});
  } else {
    return detail::decode_archived<Parameter>(in);
  }
}

}  // namespace lamellar
