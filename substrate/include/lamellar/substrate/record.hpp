// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/bytes.hpp>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <span>
#include <tuple>
#include <utility>

// How the arguments of one message lie in a buffer. `record<Args...>` is named after what the
// handler takes (decayed); what the sender gives is converted while it is written.
//
// If all arguments are bitwise, or handles, the record is *fixed*: they lie back to back,
// without padding, every record of a run has the same size, and writing one is a few plain
// stores. A *variable* record is as long as it must be: the buffer has to say how long it is,
// and it must begin at a multiple of `alignment`, which is more than 1 only for handlers that
// take a std::span<const T>: such elements are read where they lie.
//
// Everything here is static and stateless; any thread may call it.

namespace lamellar {

namespace detail {

template <class T>
inline constexpr std::size_t alignment_in_record = 1;
template <class T>
inline constexpr std::size_t alignment_in_record<std::span<const T>> = alignof(T);

[[noreturn]] void throw_wrong_size(std::size_t got, std::size_t expected);
[[noreturn]] void throw_misaligned(std::size_t alignment);

}  // namespace detail

template <class... Args>
struct record {
  /// What read() returns. Views in it live as long as the buffer.
  using arguments = std::tuple<Args...>;

  /// True if all records of this type have the same size.
  static constexpr bool fixed = (detail::is_flat<Args> && ...);

  /// True if arguments point into the buffer. A handler that outlives the buffer, a coroutine,
  /// must not have any.
  static constexpr bool has_views = (view<Args> || ...);

  /// The size of a fixed record in bytes: 0 for no arguments. Means nothing for a variable one.
  static constexpr std::size_t size = [] {
    if constexpr (fixed) {
      return (detail::size_of_flat<Args>() + ... + std::size_t{0});
    } else {
      return std::size_t{0};
    }
  }();

  /// What the offset of the record in memory must be a multiple of.
  static constexpr std::size_t alignment = [] {
    std::size_t most = 1;
    ((most =
          detail::alignment_in_record<Args> > most ? detail::alignment_in_record<Args> : most),
     ...);
    return most;
  }();

  /// Write a record if `room` suffices. Return the size of the record: it was written if that
  /// is no more than room.size(); otherwise what `room` holds is undefined, and a second call
  /// with that much room will do. Threads: any. Throws: what a `serialize` function of the
  /// caller throws.
  template <class... Given>
  static std::size_t try_write(std::span<std::byte> room, const Given&... given);

  /// Return the size that the record would have.
  template <class... Given>
  [[nodiscard]] static std::size_t measure(const Given&... given);

  /// Write a record at `out` and return the first byte after it. Requires: room for
  /// measure(given...) bytes.
  template <class... Given>
  static std::byte* write(std::byte* out, const Given&... given);

  /// Read a fixed record, without a check: its size was checked for the whole run.
  /// `owner`: as in byte_reader.
  [[nodiscard]] static arguments read_unchecked(const std::byte* in, void* owner = nullptr);

  /// Read a record that is exactly `bytes`. Throws: corrupt_message if it is not.
  /// `owner`: as in byte_reader.
  [[nodiscard]] static arguments read(std::span<const std::byte> bytes, void* owner = nullptr);

  /// Call `f(prefix..., arguments...)` with the arguments of the record that is exactly
  /// `bytes`. Throws: corrupt_message before the call if the bytes are no such record; whatever
  /// f throws.
  template <class F, class... Prefix>
  static decltype(auto) apply(F& f, std::span<const std::byte> bytes, Prefix&&... prefix);

  /// The same for a fixed record, without a check. `owner`: as in byte_reader.
  template <class F>
  static decltype(auto) apply_unchecked(F& f, const std::byte* in, void* owner = nullptr);

 private:
  template <std::size_t I>
  using argument = std::tuple_element_t<I, arguments>;

  /// Where each argument of a fixed record begins.
  static constexpr std::array<std::size_t, sizeof...(Args) + 1> offsets = [] {
    std::array<std::size_t, sizeof...(Args) + 1> all{};
    if constexpr (fixed) {
      std::size_t at = 0;
      std::size_t i = 0;
      ((all[i++] = at, at += detail::size_of_flat<Args>()), ...);
      all[i] = at;
    }
    return all;
  }();

  template <class... Given>
  static void encode_all(byte_writer& out, const Given&... given);
};

template <class... Args>
template <class... Given>
void record<Args...>::encode_all(byte_writer& out, const Given&... given) {
  static_assert(sizeof...(Given) == sizeof...(Args),
                "the handler takes another number of arguments");
  static_assert((sendable_as<Given, Args> && ...),
                "an argument does not convert to what the handler takes");
  (encode<Args>(out, given), ...);
}

template <class... Args>
template <class... Given>
std::size_t record<Args...>::try_write(std::span<std::byte> room, const Given&... given) {
  if constexpr (fixed) {
    if (size <= room.size()) {
      write(room.data(), given...);
    }
    return size;
  } else {
    byte_writer out{room};
    encode_all(out, given...);
    return out.size();
  }
}

template <class... Args>
template <class... Given>
std::size_t record<Args...>::measure(const Given&... given) {
  if constexpr (fixed) {
    return size;
  } else {
    byte_writer out{std::span<std::byte>{}};
    encode_all(out, given...);
    return out.size();
  }
}

template <class... Args>
template <class... Given>
std::byte* record<Args...>::write(std::byte* out, const Given&... given) {
  byte_writer writer{out};
  encode_all(writer, given...);
  return out + writer.size();
}

template <class... Args>
auto record<Args...>::read_unchecked(const std::byte* in, [[maybe_unused]] void* owner)
    -> arguments {
  static_assert(fixed, "a variable record has to be checked while it is read");
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return arguments{detail::read_flat<Args>(in + offsets[I], owner)...};
  }
  (std::index_sequence_for<Args...>{});
}

template <class... Args>
auto record<Args...>::read(std::span<const std::byte> bytes, [[maybe_unused]] void* owner)
    -> arguments {
  if constexpr (fixed) {
    if (bytes.size() != size) {
      detail::throw_wrong_size(bytes.size(), size);
    }
    return read_unchecked(bytes.data(), owner);
  } else {
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment != 0) {
      detail::throw_misaligned(alignment);
    }
    byte_reader in{bytes, owner};
    arguments values{decode<Args>(in)...};  // braces: from left to right
    in.finish();
    return values;
  }
}

template <class... Args>
template <class F, class... Prefix>
decltype(auto) record<Args...>::apply(F& f, std::span<const std::byte> bytes,
                                      Prefix&&... prefix) {
  if constexpr (fixed) {
    if (bytes.size() != size) {
      detail::throw_wrong_size(bytes.size(), size);
    }
  }
  return std::apply(
      [&](Args&&... values) -> decltype(auto) {
        return f(std::forward<Prefix>(prefix)..., std::move(values)...);
      },
      read(bytes));
}

template <class... Args>
template <class F>
decltype(auto) record<Args...>::apply_unchecked(F& f, const std::byte* in,
                                                [[maybe_unused]] void* owner) {
  static_assert(fixed, "a variable record has to be checked while it is read");
  return [&]<std::size_t... I>(std::index_sequence<I...>)->decltype(auto) {
    return f(detail::read_flat<Args>(in + offsets[I], owner)...);
  }
  (std::index_sequence_for<Args...>{});
}

}  // namespace lamellar
