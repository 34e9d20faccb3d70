// SPDX-License-Identifier: BSD-3-Clause
#include <hwy/contrib/sort/vqsort.h>

#include <lamellar/algorithms/detail/vector_sort.hpp>
#include <type_traits>

namespace lamellar::detail {

namespace {

template <class Word>
void sort_words(std::span<Word> numbers) {
  if (numbers.size() > 1) {
    const hwy::Sorter sorter;
    sorter(numbers.data(), numbers.size(), hwy::SortAscending());
  }
}

}  // namespace

void vector_sort(std::span<std::uint16_t> numbers) { sort_words(numbers); }
void vector_sort(std::span<std::uint32_t> numbers) { sort_words(numbers); }
void vector_sort(std::span<std::uint64_t> numbers) { sort_words(numbers); }

}  // namespace lamellar::detail
