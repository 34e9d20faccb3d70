// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <lamellar/containers/operations.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/detail/region_access.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <memory>
#include <utility>

// How an operation gets at one element. Three ways, with the same three functions; `guard` is
// the part's locks, which only one of them looks at:
//
//   load(at, guard)                  the element
//   store(at, value, guard)
//   update(at, guard, f, args...)    let it be f(old, args...); returns old
//
// An update may call f more than once: f is a pure function.
namespace lamellar::detail {

/// A few locks for many elements: one that is used often does not hold up all others.
class lock_stripes {
 public:
  lock_stripes() = default;
  explicit lock_stripes(bool needed) : locks_{needed ? new spin_lock[count] : nullptr} {}

  spin_lock& of(std::size_t offset) const { return locks_[offset % count]; }
  explicit operator bool() const { return locks_ != nullptr; }

 private:
  static constexpr std::size_t count = 256;
  std::unique_ptr<spin_lock[]> locks_;
};

/// Which of the stripes guards an element.
struct stripe {
  const lock_stripes& locks;
  std::size_t offset;
};

/// For elements that need no lock.
inline const lock_stripes no_locks;
inline const stripe no_stripe{no_locks, 0};

/// Whether the processor can change a T in one instruction.
template <class T>
inline constexpr bool native_atomic = bitwise<T>&& is_word<T>;

template <class T>
struct plain_element {
  static T load(const T& at, const stripe&) { return at; }
  static void store(T& at, T value, const stripe&) { at = std::move(value); }
  template <class F, class... Args>
  static T update(T& at, const stripe&, const F& f, const Args&... args) {
    T old = at;
    at = static_cast<T>(f(std::as_const(old), args...));
    return old;
  }
};

template <class T>
struct striped_element {
  static T load(const T& at, const stripe& by) {
    spin_lock& lock = by.locks.of(by.offset);
    lock.lock();
    T value = at;
    lock.unlock();
    return value;
  }
  static void store(T& at, T value, const stripe& by) {
    spin_lock& lock = by.locks.of(by.offset);
    lock.lock();
    at = std::move(value);
    lock.unlock();
  }
  template <class F, class... Args>
  static T update(T& at, const stripe& by, const F& f, const Args&... args) {
    spin_lock& lock = by.locks.of(by.offset);
    struct held {
      spin_lock& lock;
      ~held() { lock.unlock(); }
    };
    lock.lock();
    const held until_the_end{lock};  // f may throw
    return plain_element<T>::update(at, by, f, args...);
  }
};

template <class T>
struct native_element {
  using bits = typename word<sizeof(T)>::type;

  static T load(const T& at, const stripe&) {
    return from_bits(__atomic_load_n(reinterpret_cast<const bits*>(&at), __ATOMIC_ACQUIRE));
  }
  static void store(T& at, T value, const stripe&) {
    __atomic_store_n(reinterpret_cast<bits*>(&at), to_bits(value), __ATOMIC_RELEASE);
  }
  template <class F, class... Args>
  static T update(T& at, const stripe&, const F& f, const Args&... args) {
    auto* const word = reinterpret_cast<bits*>(&at);
    // What the processor does by itself. Addition is the same on all integers' bits.
    if constexpr (std::same_as<F, op::swap>) {
      return from_bits(__atomic_exchange_n(word, to_bits(args)..., __ATOMIC_ACQ_REL));
    } else if constexpr (is_integer<T> && std::same_as<F, op::add>) {
      return from_bits(__atomic_fetch_add(word, to_bits(args)..., __ATOMIC_ACQ_REL));
    } else if constexpr (is_integer<T> && std::same_as<F, op::sub>) {
      return from_bits(__atomic_fetch_sub(word, to_bits(args)..., __ATOMIC_ACQ_REL));
    } else if constexpr (std::integral<T> && std::same_as<F, op::bit_and>) {
      return from_bits(__atomic_fetch_and(word, to_bits(args)..., __ATOMIC_ACQ_REL));
    } else if constexpr (std::integral<T> && std::same_as<F, op::bit_or>) {
      return from_bits(__atomic_fetch_or(word, to_bits(args)..., __ATOMIC_ACQ_REL));
    } else if constexpr (std::integral<T> && std::same_as<F, op::bit_xor>) {
      return from_bits(__atomic_fetch_xor(word, to_bits(args)..., __ATOMIC_ACQ_REL));
    } else {
      bits seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
      for (;;) {
        const T old = from_bits(seen);
        const bits wanted = to_bits(static_cast<T>(f(old, args...)));
        if (wanted == seen || __atomic_compare_exchange_n(word, &seen, wanted, true,
                                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
          return old;
        }
      }
    }
  }

 private:
  static bits to_bits(const T& value) {
    bits raw;
    std::memcpy(&raw, &value, sizeof(T));
    return raw;
  }
  static T from_bits(bits raw) {
    alignas(T) std::byte bytes[sizeof(T)];
    std::memcpy(bytes, &raw, sizeof(T));
    return read_bitwise<T>(bytes);
  }
};

}  // namespace lamellar::detail
