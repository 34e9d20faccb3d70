// SPDX-License-Identifier: BSD-3-Clause
// Sorts of distributed ranges, against those of the standard library on all elements in one
// place: for types of every kernel, for kinds of input, layouts and accesses.
#include <algorithm>
#include <array>
#include <bit>
#include <cereal/types/string.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

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

const std::vector<std::string> inputs{"uniform", "sorted", "reversed", "equal", "zipf", "few"};

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

std::vector<std::size_t> sizes(const world& w) {
  return {0, 1, w.size() - 1U, w.size() + 1U, 1003};
}

/// Bytes, so that NaNs and zeros are told apart.
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  if constexpr (std::floating_point<T>) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
  } else {
    return a == b;
  }
}

template <class Array>
void check_sorts(world& w, std::size_t n, const std::string& input) {
  using T = typename Array::value_type;
  const Array a = Array::create(w, n).get();
  const auto of = [&](std::size_t i) { return element<T>(input, i, n); };
  std::vector<T> expected(n);
  for (std::size_t i = 0; i < n; ++i) {
    expected[i] = of(i);
  }
  std::sort(expected.begin(), expected.end());
  fill(a, of);
  CAPTURE(n);
  CAPTURE(input);
  sort(a).get();
  CHECK(is_sorted(a).get());
  CHECK(same_bits(everything(a), expected));
  sort(a, std::greater<>{}).get();
  std::reverse(expected.begin(), expected.end());
  CHECK(same_bits(everything(a), expected));
  CHECK(is_sorted(a, std::greater<>{}).get());
  CHECK(is_sorted(a).get() == std::is_sorted(expected.begin(), expected.end()));
}

template <class Array>
void check_all_inputs(world& w) {
  for (const std::size_t n : sizes(w)) {
    for (const std::string& input : inputs) {
      check_sorts<Array>(w, n, input);
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("sort gives what std::sort gives, and every segment keeps its size", T,
                   std::uint64_t, std::int64_t, std::uint32_t, std::int32_t, std::int16_t,
                   std::uint8_t, colour, float, double, entry, wide, std::string) {
  on_pes([](world& w) { check_all_inputs<unsafe_array<T>>(w); });
}
