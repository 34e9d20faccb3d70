// SPDX-License-Identifier: BSD-3-Clause
// Sorts of distributed ranges, against those of the standard library on all elements in one
// place: for types of every kernel, and kinds of input.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

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
