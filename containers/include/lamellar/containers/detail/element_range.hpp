// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/containers/detail/element.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <span>
#include <type_traits>
#include <vector>

// How a row of elements is read and written: by one memcpy where nobody else is at it, word by
// word where others change elements by atomic instructions, one by one under locks. What lies
// on the other side is a row of units: bytes, which need no alignment, or elements that own
// memory.
namespace lamellar::detail {

/// What ranges of T are made of on their way.
template <class T>
struct cargo {
  static constexpr bool as_bytes = bitwise<T>;
  using unit = std::conditional_t<as_bytes, std::byte, T>;
  /// Units of an element.
  static constexpr std::size_t units = as_bytes ? sizeof(T) : 1;
  using owned = std::vector<unit>;
  /// As a handler sees it.
  using seen = std::conditional_t<as_bytes, std::span<const std::byte>, owned>;

  static unit* of(T* at) { return reinterpret_cast<unit*>(at); }
  static const unit* of(const T* at) { return reinterpret_cast<const unit*>(at); }
};

/// read(from, n, into, locks, offset): elements of an array, the first of which is at `offset`,
/// to units. write(into, n, from, locks, offset): back.
template <class Element>
struct element_range;

template <class T>
struct element_range<plain_element<T>> {
  using unit = typename cargo<T>::unit;
  static void read(const T* from, std::size_t n, unit* into, const lock_stripes&, std::size_t) {
    copy(cargo<T>::of(from), n, into);
  }
  static void write(T* into, std::size_t n, const unit* from, const lock_stripes&,
                    std::size_t) {
    copy(from, n, cargo<T>::of(into));
  }

 private:
  static void copy(const unit* from, std::size_t n, unit* into) {
    if constexpr (!cargo<T>::as_bytes) {
      std::copy_n(from, n, into);
    } else if (n == 1) {
      std::memcpy(into, from, sizeof(T));  // a move or two
    } else {
      std::memmove(into, from, n * sizeof(T));
    }
  }
};

template <class T>
struct element_range<striped_element<T>> {
  using unit = typename cargo<T>::unit;
  static void read(const T* from, std::size_t n, unit* into, const lock_stripes& locks,
                   std::size_t offset) {
    for (std::size_t k = 0; k < n; ++k) {
      T value = striped_element<T>::load(from[k], stripe{locks, offset + k});
      if constexpr (cargo<T>::as_bytes) {
        std::memcpy(into + k * sizeof(T), &value, sizeof(T));
      } else {
        into[k] = std::move(value);
      }
    }
  }
  static void write(T* into, std::size_t n, const unit* from, const lock_stripes& locks,
                    std::size_t offset) {
    for (std::size_t k = 0; k < n; ++k) {
      const stripe by{locks, offset + k};
      if constexpr (cargo<T>::as_bytes) {
        striped_element<T>::store(into[k], read_bitwise<T>(from + k * sizeof(T)), by);
      } else {
        striped_element<T>::store(into[k], from[k], by);
      }
    }
  }
};

/// Elements of less than eight bytes go eight bytes at a time: an aligned word is loaded and
/// stored whole, and so is everything in it.
template <class T>
struct element_range<native_element<T>> {
  static void read(const T* from, std::size_t n, std::byte* into, const lock_stripes&,
                   std::size_t) {
    each_word(from, n, [&]<class Word>(const std::byte* at, std::size_t k) {
      const Word got = __atomic_load_n(reinterpret_cast<const Word*>(at + k), __ATOMIC_ACQUIRE);
      std::memcpy(into + k, &got, sizeof(Word));
    });
  }
  static void write(T* into, std::size_t n, const std::byte* from, const lock_stripes&,
                    std::size_t) {
    each_word(into, n, [&]<class Word>(std::byte* at, std::size_t k) {
      Word put;
      std::memcpy(&put, from + k, sizeof(Word));
      __atomic_store_n(reinterpret_cast<Word*>(at + k), put, __ATOMIC_RELEASE);
    });
  }

 private:
  template <class At, class F>
  static void each_word(At* elements, std::size_t n, F f) {
    using small = typename word<sizeof(T)>::type;
    using large = typename word<8>::type;
    using byte = std::conditional_t<std::is_const_v<At>, const std::byte, std::byte>;
    auto* const at = reinterpret_cast<byte*>(elements);
    if (n == 1) {
      f.template operator()<small>(at, 0);
      return;
    }
    const std::size_t bytes = n * sizeof(T);
    std::size_t k = 0;
    if constexpr (sizeof(T) < sizeof(large)) {
      for (; k < bytes && reinterpret_cast<std::uintptr_t>(at + k) % sizeof(large) != 0;
           k += sizeof(T)) {
        f.template operator()<small>(at, k);
      }
    }
    for (; k + sizeof(large) <= bytes; k += sizeof(large)) {
      f.template operator()<large>(at, k);
    }
    for (; k < bytes; k += sizeof(T)) {
      f.template operator()<small>(at, k);
    }
  }
};

}  // namespace lamellar::detail
