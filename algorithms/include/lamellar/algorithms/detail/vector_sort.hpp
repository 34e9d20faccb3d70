// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

// Numbers sorted in place by vector instructions, the best that the processor has: Highway's
// vqsort, which is behind this so that no user's file needs it.
//
// Cost: O(n log n), and not worse for any input. Memory: constant. Thread-safety: any thread,
// on numbers of its own.
namespace lamellar::detail {

void vector_sort(std::span<std::uint16_t> numbers);
void vector_sort(std::span<std::uint32_t> numbers);
void vector_sort(std::span<std::uint64_t> numbers);

}  // namespace lamellar::detail
