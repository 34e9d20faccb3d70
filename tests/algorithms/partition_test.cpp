// SPDX-License-Identifier: BSD-3-Clause
// Partitions, against the standard library's.
#include <algorithm>
#include <cstdint>
#include <lamellar/algorithms/partition.hpp>
#include <lamellar/containers/array.hpp>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

template <class Array>
void check_partitions(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    for (const char* input : {"uniform", "equal"}) {
      CAPTURE(n);
      CAPTURE(input);
      std::vector<T> all(n);
      for (std::size_t i = 0; i < n; ++i) all[i] = element<T>(input, i, n);
      const auto wanted = [](const T& x) { return x < make<T>(u64{1} << 62); };
      testing::fill(a, [&](std::size_t i) { return all[i]; });
      const auto middle = std::stable_partition(all.begin(), all.end(), wanted);
      const auto count = static_cast<u64>(middle - all.begin());
      CHECK(lamellar::stable_partition(a, wanted).get() == count);
      CHECK(everything(a) == all);
      testing::fill(a, [&](std::size_t i) { return element<T>(input, i, n); });
      CHECK(lamellar::partition(a, wanted).get() == count);
      std::vector<T> got = everything(a);
      CHECK(std::is_partitioned(got.begin(), got.end(), wanted));
      std::sort(got.begin(), got.end());
      std::sort(all.begin(), all.end());
      CHECK(got == all);
    }
  }
}

}  // namespace

TEST_CASE("partitions keep sizes, and order where they are stable") {
  on_pes([](world& w) {
    check_partitions<unsafe_array<u64>>(w);
    check_partitions<global_lock_array<std::string, layout::cyclic>>(w);
  });
}
