// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/algorithms/shuffle.hpp>

namespace lamellar {

task<unsafe_array<std::uint64_t>> random_permutation(detail::located_team of, std::uint64_t n,
                                                     std::uint64_t seed) {
  auto making = unsafe_array<std::uint64_t>::create(of, n);
  const unsafe_array<std::uint64_t> numbers = co_await making;
  const std::span<std::uint64_t> local = numbers.local();
  for (std::size_t k = 0; k < local.size(); ++k) {
    local[k] = numbers.global_index(k);
  }
  auto shuffling = shuffle(numbers, seed, of.where);
  co_await shuffling;
  co_return numbers;
}

}  // namespace lamellar
