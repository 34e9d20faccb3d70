// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdint>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <unordered_set>
#include <vector>

namespace lamellar::detail {

std::vector<std::uint64_t> distinct_numbers(std::uint64_t n, std::uint64_t count,
                                            std::uint64_t seed) {
  const random_numbers number{seed};
  std::unordered_set<std::uint64_t> chosen;
  for (std::uint64_t j = n - count; j < n; ++j) {
    const std::uint64_t any = number.below(j + 1, j);
    chosen.insert(chosen.contains(any) ? j : any);
  }
  std::vector<std::uint64_t> sorted(chosen.begin(), chosen.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace lamellar::detail
