// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/bytes.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/fields.hpp>
#include <tuple>
#include <type_traits>
#include <vector>

// The flat binary archives through which cereal serialises what is not a plain value: native
// byte order, no names, no streams, straight into and out of a record. Any class that cereal
// knows how to serialise works: a `serialize` member, a `save` and `load` pair, inside or
// beside the class, and the standard containers. (For a standard type that is not among the
// includes here, include its <cereal/types/...> header.) Beyond cereal, bitwise classes and
// aggregates of transferable members need no code at all.
//
// An archive belongs to one thread and lives for one value.

namespace lamellar {

namespace detail::probe {

// Archives that none of our own hooks know: what these can serialise, a class or cereal has
// code of its own for.
struct output : cereal::OutputArchive<output> {
  output() : OutputArchive{this} {}
};
struct input : cereal::InputArchive<input> {
  input() : InputArchive{this} {}
};

}  // namespace detail::probe
}  // namespace lamellar

CEREAL_SETUP_ARCHIVE_TRAITS(lamellar::detail::probe::input, lamellar::detail::probe::output)

namespace lamellar {

/// A class that says by itself, or in cereal's words, how it is serialised.
template <class T>
concept self_serialising =
    cereal::traits::is_output_serializable<T, detail::probe::output>::value &&
    cereal::traits::is_input_serializable<T, detail::probe::input>::value;

// A namespace of its own, so that nothing but the archives makes a compiler look at the
// functions below.
namespace archives {

/// Writes values into a byte_writer.
class output_archive : public cereal::OutputArchive<output_archive> {
 public:
  /// Append to `to`, which must outlive the archive.
  explicit output_archive(byte_writer& to) : OutputArchive{this}, bytes_{to} {}

  /// Where the bytes go.
  [[nodiscard]] byte_writer& bytes() noexcept { return bytes_; }

 private:
  byte_writer& bytes_;
};

/// Reads values from a byte_reader. Throws: corrupt_message whenever the bytes cannot be what
/// was written.
class input_archive : public cereal::InputArchive<input_archive> {
 public:
  /// Read from `from`, which must outlive the archive.
  explicit input_archive(byte_reader& from) : InputArchive{this}, bytes_{from} {}

  /// Where the bytes come from.
  [[nodiscard]] byte_reader& bytes() noexcept { return bytes_; }

 private:
  byte_reader& bytes_;
};

}  // namespace archives
}  // namespace lamellar

CEREAL_SETUP_ARCHIVE_TRAITS(lamellar::archives::input_archive,
                            lamellar::archives::output_archive)

namespace lamellar::archives {

/// A class that needs no code of its own: its bytes or its members say everything.
template <class T>
concept needs_no_code =
    std::is_class_v<T> && !self_serialising<T> && (bitwise<T> || listable<T>);

template <class T>
  requires(std::is_arithmetic_v<T> || detail::is_int128<T>)
void save(output_archive& archive, const T& value) { archive.bytes().put_value(value); }

template <class T>
  requires(std::is_arithmetic_v<T> || detail::is_int128<T>)
void load(input_archive& archive, T& value) { value = archive.bytes().template get_value<T>(); }

template <class T>
void save(output_archive& archive, const cereal::SizeTag<T>& tag) {
  archive.bytes().put_length(tag.size);
}

template <class T>
void load(input_archive& archive, cereal::SizeTag<T>& tag) {
  const std::uint64_t size = archive.bytes().get_length();
  archive.bytes().require(size, 1);  // no element is shorter
  tag.size = static_cast<std::remove_cvref_t<T>>(size);
}

template <class T>
void save(output_archive& archive, const cereal::BinaryData<T>& data) {
  archive.bytes().put(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void load(input_archive& archive, cereal::BinaryData<T>& data) {
  const std::byte* const from = archive.bytes().take(data.size, 1);
  if (data.size != 0) {
    std::memcpy(data.data, from, static_cast<std::size_t>(data.size));
  }
}

template <class T>
void save(output_archive& archive, const cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void load(input_archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <needs_no_code T>
void save(output_archive& archive, const T& value) {
  if constexpr (bitwise<T>) {
    archive.bytes().put(
        &value,
        sizeof(T));  // an empty class too: a container's length counts on a byte per element
  } else {
    std::apply([&](const auto&... member) { archive(member...); }, fields(value));
  }
}

template <needs_no_code T>
void load(input_archive& archive, T& value) {
  if constexpr (bitwise<T>) {
    const std::byte* const from = archive.bytes().take(sizeof(T));
    if constexpr (!std::is_empty_v<T>) {
      value = read_bitwise<T>(from);
    }
  } else {
    std::apply([&](auto&... member) { archive(member...); }, fields(value));
  }
}

/// Append `count` elements, which lie unaligned in the record, to `values`.
template <bitwise T, class Allocator>
void append_bitwise(byte_reader& from, std::uint64_t count, std::vector<T, Allocator>& values) {
  const std::byte* at = from.take(count, sizeof(T));
  if constexpr (std::is_default_constructible_v<T> && !std::same_as<T, bool>) {
    values.resize(static_cast<std::size_t>(count));
    if (count != 0) {
      std::memcpy(static_cast<void*>(values.data()), at,
                  static_cast<std::size_t>(count) * sizeof(T));
    }
  } else {
    values.reserve(static_cast<std::size_t>(count));
    for (; values.size() < count; at += sizeof(T)) {
      values.push_back(read_bitwise<T>(at));
    }
  }
}

// Vectors have cereal's code too; this one is more special and wins. It copies bitwise elements
// in one go, and grows with what has arrived instead of believing the length first.

template <class T, class Allocator>
  requires(!std::same_as<T, bool>)
void save(output_archive& archive, const std::vector<T, Allocator>& values) {
  archive.bytes().put_length(values.size());
  if constexpr (bitwise<T>) {
    archive.bytes().put(values.data(), values.size() * sizeof(T));
  } else {
    for (const T& value : values) {
      archive(value);
    }
  }
}

template <class T, class Allocator>
  requires(!std::same_as<T, bool>)
void load(input_archive& archive, std::vector<T, Allocator>& values) {
  const std::uint64_t count = archive.bytes().get_length();
  values.clear();
  if constexpr (bitwise<T>) {
    append_bitwise(archive.bytes(), count, values);
  } else {
    archive.bytes().require(count, 1);
    for (std::uint64_t i = 0; i < count; ++i) {
      archive(values.emplace_back());
    }
  }
}

}  // namespace lamellar::archives

namespace lamellar {

using archives::input_archive;
using archives::output_archive;

}  // namespace lamellar
