// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>

// Which of two elements comes first, and, where a number can say so, that number.
//
// Keys that are numbers of up to 64 bits, or enumerations, compared by less or greater, have a
// *rank word*: an unsigned number with the same order. Sorting by words needs no comparisons.
// For floating point the words define an order of all values: -inf ... -0.0, +0.0 ... +inf,
// then NaNs, those with a sign last. `greater` is the exact reverse.
//
// Thread-safety: as that of the comparison and the projection, which are called on const
// objects by several threads at once.
namespace lamellar::detail {

template <class C, class K>
inline constexpr bool is_less = std::same_as<C, std::less<>> || std::same_as<C, std::less<K>> ||
                                std::same_as<C, std::ranges::less>;
template <class C, class K>
inline constexpr bool is_greater =
    std::same_as<C, std::greater<>> || std::same_as<C, std::greater<K>> ||
    std::same_as<C, std::ranges::greater>;

/// Numbers that have a rank word.
template <class K>
concept ranked_number = ((std::integral<K> && sizeof(K) <= 8) || std::is_enum_v<K> ||
                         std::same_as<K, float> || std::same_as<K, double>);

template <std::size_t Bytes>
struct word_of_size;
template <>
struct word_of_size<1> : std::type_identity<std::uint8_t> {};
template <>
struct word_of_size<2> : std::type_identity<std::uint16_t> {};
template <>
struct word_of_size<4> : std::type_identity<std::uint32_t> {};
template <>
struct word_of_size<8> : std::type_identity<std::uint64_t> {};

template <ranked_number K>
using rank_word = typename word_of_size<sizeof(K)>::type;

template <class Word>
inline constexpr unsigned sign_bit = 8 * sizeof(Word) - 1;

/// How many words there are below that of -inf: where a sign and a NaN meet.
template <class F, class Word = rank_word<F>>
inline constexpr Word signed_nans =
    static_cast<Word>(~std::bit_cast<Word>(-std::numeric_limits<F>::infinity()));

/// The rank word of a key.
template <ranked_number K>
constexpr rank_word<K> to_rank(K key) noexcept {
  using word = rank_word<K>;
  constexpr word top = static_cast<word>(word{1} << (8 * sizeof(word) - 1));
  if constexpr (std::floating_point<K>) {
    const word raw = std::bit_cast<word>(key);
    // All bits of a number with a sign are turned, of others the sign. Without a branch: signs
    // may be random.
    using with_sign = std::make_signed_t<word>;
    const auto turned = static_cast<word>(
        static_cast<word>(static_cast<with_sign>(raw) >> sign_bit<word>) | top);
    return static_cast<word>((raw ^ turned) - signed_nans<K>);
  } else if constexpr (std::is_enum_v<K>) {
    return to_rank(static_cast<std::underlying_type_t<K>>(key));
  } else if constexpr (std::is_signed_v<K>) {
    return static_cast<word>(static_cast<word>(key) ^ top);
  } else {
    return static_cast<word>(key);
  }
}

/// The key with a rank word.
template <ranked_number K>
constexpr K from_rank(rank_word<K> rank) noexcept {
  using word = rank_word<K>;
  constexpr word top = static_cast<word>(word{1} << (8 * sizeof(word) - 1));
  if constexpr (std::floating_point<K>) {
    const word mapped = static_cast<word>(rank + signed_nans<K>);
    const auto turned =
        static_cast<word>(static_cast<word>((mapped >> sign_bit<word>)-1) | top);
    return std::bit_cast<K>(static_cast<word>(mapped ^ turned));
  } else if constexpr (std::is_enum_v<K>) {
    return static_cast<K>(from_rank<std::underlying_type_t<K>>(rank));
  } else if constexpr (std::is_signed_v<K>) {
    return static_cast<K>(rank ^ top);
  } else {
    return static_cast<K>(rank);
  }
}

/// The order of Ts that a comparison of projections gives.
template <class T, class Compare, class Projection>
struct sort_order {
  using key = std::remove_cvref_t<std::invoke_result_t<const Projection&, const T&>>;
  static constexpr bool descends = is_greater<Compare, key>;
  /// Whether the comparison is less or greater.
  static constexpr bool natural = is_less<Compare, key> || descends;
  static constexpr bool projects = !std::same_as<Projection, std::identity>;
  /// Whether keys have rank words.
  static constexpr bool ranked = natural && ranked_number<key>;
  /// Whether an element is nothing but its key.
  static constexpr bool bare = ranked && !projects;

  [[no_unique_address]] Compare compare;
  [[no_unique_address]] Projection projection;

  decltype(auto) key_of(const T& element) const { return std::invoke(projection, element); }

  /// The rank word of an element.
  auto rank(const T& element) const requires ranked {
    using word = rank_word<key>;
    const word ascending = to_rank<key>(key_of(element));
    return descends ? static_cast<word>(~ascending) : ascending;
  }

  /// Whether `a` comes before `b`: a strict weak order.
  bool operator()(const T& a, const T& b) const {
    if constexpr (ranked) {
      return rank(a) < rank(b);
    } else if constexpr (natural && std::floating_point<key>) {
      return descends ? comes_first(key_of(b), key_of(a)) : comes_first(key_of(a), key_of(b));
    } else {
      return std::invoke(compare, key_of(a), key_of(b));
    }
  }

 private:
  /// For floating point that is too long for a word. NaNs are alike, but for their signs.
  static bool comes_first(key a, key b) {
    if (std::isnan(a) || std::isnan(b)) {
      return std::isnan(b) && (!std::isnan(a) || std::signbit(a) < std::signbit(b));
    }
    return a < b || (a == b && std::signbit(a) > std::signbit(b));
  }
};

}  // namespace lamellar::detail
