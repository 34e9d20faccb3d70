// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/substrate/bitwise.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

// hash<K>: what containers hash keys with unless told otherwise. Integers are themselves, for
// containers mix what any hash gives; text is read eight bytes at a time, and a std::string has
// the hash of a std::string_view; pairs join those of their members; for the rest there is
// std::hash. All PEs must hash alike: a hash that depends on an address, or on a seed of the
// process, is of no use.
//
// Thread-safety: functions of their arguments.
namespace lamellar {

template <class K>
struct hash;

namespace detail {

inline std::uint64_t load_64(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// Both halves of a product, one on the other: each bit of the result depends on all of `a`.
inline std::uint64_t multiply_fold(std::uint64_t a, std::uint64_t b) {
  const uint128 product = static_cast<uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// What a user's hash gives may have all its information in a few bits.
inline std::uint64_t mix_hash(std::uint64_t h) {
  return multiply_fold(h ^ 0x2d358dccaa6c78a5U, 0x9e3779b97f4a7c15U);
}

inline std::uint64_t hash_text(std::string_view text) {
  constexpr std::uint64_t a = 0x8bb84b93962eacc9U;
  constexpr std::uint64_t b = 0x4b33a62ed433d4a3U;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t sum = text.size() * a;
  for (; left > 16; left -= 16, at += 16) {
    sum = multiply_fold(load_64(at) ^ sum ^ a, load_64(at + 8) ^ b);
  }
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (left >= 8) {
    first = load_64(at);
    last = load_64(at + left - 8);
  } else {
    std::memcpy(&first, at, left);
  }
  return multiply_fold(first ^ sum ^ a, last ^ b);
}

}  // namespace detail

template <class K>
struct hash {
  std::size_t operator()(const K& key) const {
    if constexpr (std::is_integral_v<K> || std::is_enum_v<K>) {
      return static_cast<std::size_t>(key);
    } else {
      return std::hash<K>{}(key);
    }
  }
};

template <>
struct hash<std::string> {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return detail::hash_text(key); }
};
template <>
struct hash<std::string_view> : hash<std::string> {};

template <class A, class B>
struct hash<std::pair<A, B>> {
  std::size_t operator()(const std::pair<A, B>& key) const {
    return detail::mix_hash(hash<A>{}(key.first)) * 3 + hash<B>{}(key.second);
  }
};

/// A function that hashes keys of type K.
template <class F, class K>
concept hash_of = std::default_initializable<F> && requires(const F& f, const K& key) {
  { f(key) } -> std::convertible_to<std::size_t>;
};

}  // namespace lamellar
