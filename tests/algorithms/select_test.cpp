// SPDX-License-Identifier: BSD-3-Clause
// Elements by rank, and the first ones.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/select.hpp>
#include <lamellar/containers/array.hpp>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

template <class Array>
void check_ranks(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    for (const std::string& input : inputs) {
      std::vector<T> all(n);
      for (std::size_t i = 0; i < n; ++i) all[i] = element<T>(input, i, n);
      fill(a, [&](std::size_t i) { return all[i]; });
      std::vector<T> sorted = all;
      std::sort(sorted.begin(), sorted.end());
      CAPTURE(n);
      CAPTURE(input);
      for (const std::size_t k : {std::size_t{0}, std::size_t{1}, n / 2, n, n + 5}) {
        const std::vector<T> first(
            sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(std::min(k, n)));
        CHECK(top_k(a, k).get() == first);
      }
      if (n != 0) {
        const std::vector<std::uint64_t> ranks{n / 2, 0, n - 1, n / 3, n / 2};
        std::vector<T> expected;
        for (const std::uint64_t rank : ranks) expected.push_back(sorted[rank]);
        CHECK(nth_elements(a, ranks).get() == expected);
        CHECK(lamellar::nth_element(a, n / 4, std::greater<>{}).get() == sorted[n - 1 - n / 4]);
        const std::vector<T> found = quantiles(a, {0.0, 0.5, 0.99, 1.0}).get();
        CHECK(found.front() == sorted.front());
        CHECK(found[1] == sorted[(n + 1) / 2 - 1]);
        CHECK(found.back() == sorted.back());
      }
      CHECK(everything(a) == all);  // untouched
    }
  }
}

}  // namespace

TEST_CASE("elements by rank, quantiles, and the first ones") {
  on_pes([](world& w) {
    check_ranks<unsafe_array<std::uint64_t>>(w);
    check_ranks<local_lock_array<double, layout::cyclic>>(w);
    check_ranks<global_lock_array<std::string>>(w);
  });
}

TEST_CASE("a projection orders records") {
  on_pes([](world& w) {
    const auto a = unsafe_array<entry>::create(w, 101).get();
    fill(a, [](std::size_t i) { return entry{i, 1000 - i}; });
    CHECK(lamellar::nth_element(a, 3, std::less<>{}, &entry::number).get().key == 97);
    const auto most = top_k(a, 2, std::greater<>{}, &entry::number).get();
    CHECK(most.at(0).key == 0);
    CHECK(most.at(1).key == 1);
  });
}
