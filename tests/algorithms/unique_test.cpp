// SPDX-License-Identifier: BSD-3-Clause
// What looks at neighbours, against the standard library's.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/adjacent_difference.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/algorithms/unique.hpp>
#include <lamellar/containers/array.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

/// Tells both of its arguments apart.
struct beside {
  u64 operator()(u64 a, u64 b) const { return 3 * a - b; }
  std::string operator()(const std::string& a, const std::string& b) const {
    return a + '<' + b;
  }
};

template <class Array>
void check_neighbours(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    const Array b = Array::create(w, n).get();
    for (const char* input : {"uniform", "equal", "few"}) {
      CAPTURE(n);
      CAPTURE(input);
      std::vector<T> all(n);
      for (std::size_t i = 0; i < n; ++i) all[i] = element<T>(input, i, n);
      // Rows of equal ones, which no segment's end divides.
      for (std::size_t i = 1; i < n; ++i) {
        if (i % 5 != 0) all[i] = all[i - 1];
      }
      testing::fill(a, [&](std::size_t i) { return all[i]; });
      std::vector<T> expected = all;
      expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
      CHECK(everything(lamellar::unique(a).get()) == expected);
      CHECK(everything(a) == all);

      std::vector<T> differences(n);
      std::adjacent_difference(all.begin(), all.end(), differences.begin(), beside{});
      lamellar::adjacent_difference(a, b, beside{}).get();
      CHECK(everything(b) == differences);
      CHECK(everything(a) == all);
      lamellar::adjacent_difference(a, a, beside{}).get();
      CHECK(everything(a) == differences);
    }
  }
}

}  // namespace

TEST_CASE("neighbours, in any layout and access") {
  on_pes([](world& w) {
    check_neighbours<unsafe_array<u64>>(w);
    check_neighbours<atomic_array<u64, layout::cyclic>>(w);
    check_neighbours<local_lock_array<std::string>>(w);
  });
}

TEST_CASE("what repeats in long rows, on all threads") {
  on_pes([](world& w) {
    // Rows of all lengths, one of which reaches over all threads and PEs.
    for (const std::size_t long_row : {0U, 90'000U}) {
      const std::size_t n = 100'003;
      const auto a = unsafe_array<u64>::create(w, n).get();
      const auto value = [long_row](std::size_t i) {
        return i < long_row ? u64{7} : u64{i} * i / 500'000;
      };
      testing::fill(a, value);
      std::vector<u64> expected;
      for (std::size_t i = 0; i < n; ++i) {
        if (i == 0 || value(i) != value(i - 1)) expected.push_back(value(i));
      }
      CHECK(everything(lamellar::unique(a).get()) == expected);
    }
  });
}

TEST_CASE("neighbours in long rows, in place, on all threads") {
  on_pes([](world& w) {
    const std::size_t n = 100'003;
    const auto a = unsafe_array<u64>::create(w, n).get();
    testing::fill(a, [](std::size_t i) { return u64{i} * i; });
    lamellar::adjacent_difference(a, a).get();
    std::vector<u64> expected(n);
    for (std::size_t i = 1; i < n; ++i) expected[i] = 2 * i - 1;
    CHECK(everything(a) == expected);
  });
}

TEST_CASE("members without elements, and equality by a projection") {
  on_pes([](world& w) {
    // The last member has all; then the first one.
    for (const std::uint32_t who : {w.size() - 1U, 0U}) {
      std::vector<entry> own;
      for (u64 i = 0; i < 12 && w.me().index() == who; ++i) own.push_back({i, i / 3});
      const auto a = segments<entry>::create(w, std::move(own)).get();
      const auto once =
          everything(lamellar::unique(a, std::equal_to<>{}, &entry::number).get());
      CHECK(once == std::vector<entry>{{0, 0}, {3, 1}, {6, 2}, {9, 3}});
    }
  });
}
