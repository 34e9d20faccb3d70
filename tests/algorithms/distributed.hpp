// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <vector>

// Elements of many types and in many orders, and distributed ranges filled with them and seen
// as a whole: for tests of algorithms.
namespace lamellar::testing {

// ---- elements ----

struct entry {
  std::uint64_t key;
  std::uint64_t number;
  auto operator<=>(const entry&) const = default;
};
/// Too large to be sorted by digits.
struct wide {
  std::uint32_t key;
  std::array<std::uint32_t, 20> rest;
  auto operator<=>(const wide&) const = default;
};
enum class colour : std::int16_t { red = -5, green = 0, blue = 300 };

/// An element made of a number; equal numbers make equal elements, and order is kept.
template <class T>
T make(std::uint64_t x) {
  if constexpr (std::same_as<T, std::string>) {
    const std::string digits = std::to_string(x + 1'000'000'000'000'000'000U);
    return x % 3 == 0 ? digits.substr(14) : digits + "tail";
  } else if constexpr (std::same_as<T, entry>) {
    return {x, ~x};
  } else if constexpr (std::same_as<T, wide>) {
    return {static_cast<std::uint32_t>(x), {static_cast<std::uint32_t>(x >> 32)}};
  } else if constexpr (std::floating_point<T>) {
    return static_cast<T>(static_cast<std::int64_t>(x << 40)) / T(1 << 20);
  } else {
    return static_cast<T>(x);
  }
}

inline const std::vector<std::string> inputs{"uniform", "sorted", "reversed",
                                             "equal",   "zipf",   "few"};

/// Element i of an input of n.
template <class T>
T element(const std::string& input, std::size_t i, std::size_t n) {
  std::uint64_t x = (i + 1) * 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9U;
  x ^= x >> 32;
  if (input == "sorted") return make<T>(i);
  if (input == "reversed") return make<T>(n - i);
  if (input == "equal") return make<T>(42);
  if (input == "few") return make<T>(x % 5);
  if (input == "zipf") return make<T>(n / (1 + x % n));
  return make<T>(x >> 1);
}

/// All elements of a range, in order, on every PE.
template <class R>
std::vector<element_of<R>> everything(const R& of) {
  using T = element_of<R>;
  const open_segment<const T> segment = open_to_read(of).get();
  std::vector<T> mine(segment.local().begin(), segment.local().end());
  std::vector<std::uint64_t> indices(mine.size());
  const std::uint64_t begin = segment_begins(of)[of.members().position().index()];
  for (std::size_t k = 0; k < mine.size(); ++k) {
    if constexpr (indexed_range<R>) {
      indices[k] = of.global_index(k);
    } else {
      indices[k] = begin + k;
    }
  }
  const auto rows = all_gather(of.members(), mine).get();
  const auto places = all_gather(of.members(), indices).get();
  std::vector<T> all(of.size());
  for (std::size_t p = 0; p < rows.size(); ++p) {
    for (std::size_t k = 0; k < rows[p].size(); ++k) {
      all[places[p][k]] = rows[p][k];
    }
  }
  return all;
}

/// Let element i be of(i).
template <class R, class F>
void fill(const R& range, const F& of) {
  open_segment<element_of<R>> segment = open_to_write(range).get();
  const std::uint64_t begin = segment_begins(range)[range.members().position().index()];
  for (std::size_t k = 0; k < segment.local().size(); ++k) {
    if constexpr (indexed_range<R>) {
      segment.local()[k] = of(range.global_index(k));
    } else {
      segment.local()[k] = of(begin + k);
    }
  }
  segment.close();
  range.members().barrier().get();
}

/// Nothing, fewer than PEs, not divisible.
inline std::vector<std::size_t> sizes(const world& w) {
  return {0, 1, w.size() - 1U, w.size() + 1U, 1003};
}

}  // namespace lamellar::testing
