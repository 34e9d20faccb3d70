// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/detail/one_sided_table.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/world.hpp>
#include <source_location>
#include <span>
#include <type_traits>

// How the elements of a memory region are read and written: by loads and stores where the PE
// that has them can be mapped here, else by messages to that PE, which does the same loads and
// stores. So both ways may be mixed on one element: single elements of 1, 2, 4 or 8 bytes are
// never torn, and remote atomics are atomic however they come.
//
// Thread-safety: any thread of the PE.
namespace lamellar {

/// What memory regions hold: values that mean the same on every PE.
template <class T>
concept region_element =
    bitwise<T> && !std::is_array_v<T> && alignof(T) <= lamellae::cache_line;

/// What remote atomics work on: integers of 32 and 64 bits.
template <class T>
concept atomic_element =
    std::integral<T> && !std::same_as<T, bool> && (sizeof(T) == 4 || sizeof(T) == 8);

/// What compare_exchange() has found, and whether it has exchanged.
template <class T>
struct exchanged {
  bool done = false;
  T before{};
  explicit operator bool() const { return done; }
};

namespace detail {

/// A number that names a region to the PE on which its memory lies. Travels.
using region_id = std::uint64_t;
constexpr region_id shared_region_id(std::uint32_t object) { return object; }
constexpr region_id one_sided_region_id(std::uint32_t number) {
  return std::uint64_t{1} << 32 | number;
}

/// One PE's memory of a region, and the way there.
struct region_reach {
  engine* home = nullptr;
  std::byte* base = nullptr;  ///< mapped here, or nullptr: use the network, or send messages
  std::uint32_t to = 0;
  region_id id = 0;
  const network_place* network = nullptr;  ///< or nullptr: only messages go there
};

/// Add to the statistics, if they are wanted.
inline void count_access(const region_reach& at,
                         std::atomic<std::uint64_t> region_counts::*what,
                         std::uint64_t amount) {
  if (region_counts* counts = at.home->counted_regions(); counts != nullptr) [[unlikely]] {
    (counts->*what).fetch_add(amount, std::memory_order_relaxed);
    counts->by_message.fetch_add(at.base == nullptr, std::memory_order_relaxed);
  }
}

/// `count` bytes from `offset` on of a region's memory on this PE. Throws: corrupt_message.
std::byte* region_bytes(engine& at, region_id id, std::uint64_t offset, std::uint64_t count);
/// The same for one element of `bytes` bytes: elements begin at multiples of their size.
std::byte* region_element_at(engine& at, region_id id, std::uint64_t offset,
                             std::uint64_t bytes);

/// Ends the job: elements [index, index + count) are not in a region of `size`.
[[noreturn]] void region_out_of_range(const engine* at, const char* what, std::size_t index,
                                      std::size_t count, std::size_t size,
                                      std::source_location where);

/// Ends the job: a one-sided region's memory was asked for where it is not.
[[noreturn]] void region_is_elsewhere(const engine* at, const one_sided_entry* which,
                                      std::source_location where);

/// The bytes of `count` elements; more than anybody has where the product is too large.
constexpr std::size_t bytes_of_elements(std::uint64_t count, std::uint64_t element_bytes) {
  constexpr std::size_t most = ~std::size_t{0} / 2;
  return count > most / element_bytes ? most : count * element_bytes;
}

// ---- ranges ---------------------------------------------------------------------------------

/// By the network, or by messages, in pieces. The bytes are copied before this returns, unless
/// they are `lasting`: they stay as they are until it is done.
completion<> send_bytes(const region_reach& at, std::uint64_t offset,
                        std::span<const std::byte> from, bool lasting);
/// By the network, or by messages, in pieces, a few of which are under way at a time.
completion<> fetch_bytes(const region_reach& at, std::uint64_t offset,
                         std::span<std::byte> into, std::source_location where);

inline completion<> put_bytes(const region_reach& at, std::uint64_t offset,
                              std::span<const std::byte> from, bool lasting = false) {
  if (from.empty()) {
    return {};
  }
  count_access(at, &region_counts::bytes_put, from.size());
  if (at.base != nullptr) [[likely]] {
    std::memmove(at.base + offset, from.data(), from.size());
    return {};
  }
  return send_bytes(at, offset, from, lasting);
}

inline completion<> get_bytes(const region_reach& at, std::uint64_t offset,
                              std::span<std::byte> into, std::source_location where) {
  if (into.empty()) {
    return {};
  }
  count_access(at, &region_counts::bytes_got, into.size());
  if (at.base != nullptr) [[likely]] {
    std::memmove(into.data(), at.base + offset, into.size());
    return {};
  }
  return fetch_bytes(at, offset, into, where);
}

// ---- single elements ------------------------------------------------------------------------

/// An unsigned integer of as many bytes, that may lie in memory of another type.
template <std::size_t Bytes>
struct word;
template <>
struct word<1> {
  using type [[gnu::may_alias]] = std::uint8_t;
};
template <>
struct word<2> {
  using type [[gnu::may_alias]] = std::uint16_t;
};
template <>
struct word<4> {
  using type [[gnu::may_alias]] = std::uint32_t;
};
template <>
struct word<8> {
  using type [[gnu::may_alias]] = std::uint64_t;
};

template <class T>
inline constexpr bool is_word = (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 ||
                                 sizeof(T) == 8) &&
                                alignof(T) == sizeof(T);

/// Store an element, whole if it is a word. What was written before is visible to whoever
/// loads it.
template <class T>
void store_element(std::byte* at, const T& value) {
  if constexpr (is_word<T>) {
    using bits = typename word<sizeof(T)>::type;
    bits raw;
    std::memcpy(&raw, &value, sizeof(T));
    __atomic_store_n(reinterpret_cast<bits*>(at), raw, __ATOMIC_RELEASE);
  } else {
    std::memcpy(at, &value, sizeof(T));
  }
}

template <class T>
T load_element(const std::byte* at) {
  alignas(T) std::byte raw[sizeof(T)];
  if constexpr (is_word<T>) {
    using bits = typename word<sizeof(T)>::type;
    const bits got = __atomic_load_n(reinterpret_cast<const bits*>(at), __ATOMIC_ACQUIRE);
    std::memcpy(raw, &got, sizeof(T));
  } else {
    std::memcpy(raw, at, sizeof(T));
  }
  return read_bitwise<T>(raw);
}

template <class T>
struct store_remote {
  void operator()(context& at, region_id id, std::uint64_t offset, const T& value) const {
    store_element(region_element_at(engine_of(at.world()), id, offset, sizeof(T)), value);
  }
};

template <class T>
struct load_remote {
  T operator()(context& at, region_id id, std::uint64_t offset) const {
    return load_element<T>(region_element_at(engine_of(at.world()), id, offset, sizeof(T)));
  }
};

template <class T>
completion<> put_element(const region_reach& at, std::uint64_t offset, const T& value) {
  count_access(at, &region_counts::bytes_put, sizeof(T));
  if (at.base != nullptr) [[likely]] {
    store_element(at.base + offset, value);
    return {};
  }
  return completion<>{
      call_message<void>(*at.home, at.to, 0, store_remote<T>{}, at.id, offset, value)};
}

template <class T>
completion<T> get_element(const region_reach& at, std::uint64_t offset) {
  count_access(at, &region_counts::bytes_got, sizeof(T));
  if (at.base != nullptr) [[likely]] {
    return completion<T>{load_element<T>(at.base + offset)};
  }
  return completion<T>{call_message<void>(*at.home, at.to, 0, load_remote<T>{}, at.id, offset)};
}

// ---- atomics --------------------------------------------------------------------------------

enum class atomic_op : std::uint8_t { load, store, swap, add, sub, bit_and, bit_or, bit_xor };

template <class T, atomic_op Op>
T apply_atomically(std::byte* at, [[maybe_unused]] T operand) {
  std::atomic_ref<T> element{*reinterpret_cast<T*>(at)};
  if constexpr (Op == atomic_op::load) {
    return element.load();
  } else if constexpr (Op == atomic_op::store) {
    element.store(operand);
    return operand;
  } else if constexpr (Op == atomic_op::swap) {
    return element.exchange(operand);
  } else if constexpr (Op == atomic_op::add) {
    return element.fetch_add(operand);
  } else if constexpr (Op == atomic_op::sub) {
    return element.fetch_sub(operand);
  } else if constexpr (Op == atomic_op::bit_and) {
    return element.fetch_and(operand);
  } else if constexpr (Op == atomic_op::bit_or) {
    return element.fetch_or(operand);
  } else {
    return element.fetch_xor(operand);
  }
}

template <class T>
exchanged<T> compare_exchange_atomically(std::byte* at, T expected, T desired) {
  std::atomic_ref<T> element{*reinterpret_cast<T*>(at)};
  const bool done = element.compare_exchange_strong(expected, desired);
  return {done, expected};
}

template <class T, atomic_op Op>
struct apply_remotely {
  T operator()(context& at, region_id id, std::uint64_t offset, T operand) const {
    return apply_atomically<T, Op>(
        region_element_at(engine_of(at.world()), id, offset, sizeof(T)), operand);
  }
};

/// The same without a result.
template <class T, atomic_op Op>
struct change_remotely {
  void operator()(context& at, region_id id, std::uint64_t offset, T operand) const {
    apply_atomically<T, Op>(region_element_at(engine_of(at.world()), id, offset, sizeof(T)),
                            operand);
  }
};

template <class T>
struct compare_exchange_remotely {
  exchanged<T> operator()(context& at, region_id id, std::uint64_t offset, T expected,
                          T desired) const {
    return compare_exchange_atomically<T>(
        region_element_at(engine_of(at.world()), id, offset, sizeof(T)), expected, desired);
  }
};

template <atomic_op Op, class T>
completion<T> fetch_op(const region_reach& at, std::uint64_t offset, T operand) {
  count_access(at, &region_counts::atomics, 1);
  if (at.base != nullptr) [[likely]] {
    return completion<T>{apply_atomically<T, Op>(at.base + offset, operand)};
  }
  return completion<T>{
      call_message<void>(*at.home, at.to, 0, apply_remotely<T, Op>{}, at.id, offset, operand)};
}

template <atomic_op Op, class T>
completion<> change_op(const region_reach& at, std::uint64_t offset, T operand) {
  count_access(at, &region_counts::atomics, 1);
  if (at.base != nullptr) [[likely]] {
    apply_atomically<T, Op>(at.base + offset, operand);
    return {};
  }
  return completion<>{
      call_message<void>(*at.home, at.to, 0, change_remotely<T, Op>{}, at.id, offset, operand)};
}

template <class T>
completion<exchanged<T>> compare_exchange_op(const region_reach& at, std::uint64_t offset,
                                             T expected, T desired) {
  count_access(at, &region_counts::atomics, 1);
  if (at.base != nullptr) [[likely]] {
    return completion<exchanged<T>>{
        compare_exchange_atomically<T>(at.base + offset, expected, desired)};
  }
  return completion<exchanged<T>>{call_message<void>(
      *at.home, at.to, 0, compare_exchange_remotely<T>{}, at.id, offset, expected, desired)};
}

}  // namespace detail
}  // namespace lamellar
