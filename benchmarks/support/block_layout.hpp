// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

// Which PE has which word of a table that is cut into blocks, as even as possible: the first
// `words mod PEs` PEs have one more. Random owners cannot be predicted, so the way from an
// index to its owner has no branch: a shift where all blocks have the same power of two, a
// multiplication by a reciprocal and one correction elsewhere.
//
// Thread-safety: constant after construction.

namespace lamellar::benchmark {

/// A word of a table: on which PE, and the how many-th there.
struct place_of_word {
  std::uint32_t owner;
  std::uint32_t offset;
};

class block_layout {
 public:
  /// Requires: words >= pes * pes, words / pes + 1 < 2^32.
  block_layout(std::uint64_t words, std::uint32_t pes) : first_(pes + 1) {
    for (std::uint64_t k = 0; k <= pes; ++k) {
      first_[k] = words / pes * k + std::min(words % pes, k);
    }
  }

  std::uint64_t first(std::uint32_t owner) const { return first_[owner]; }
  std::uint64_t size(std::uint32_t owner) const { return first_[owner + 1] - first_[owner]; }

  /// True if shifted() may be used.
  bool is_shift() const {
    return std::has_single_bit(size(0)) && first_.back() == size(0) * (first_.size() - 1);
  }

  /// Return a callable from index to place_of_word. It refers to this layout.
  auto shifted() const {
    const int shift = std::countr_zero(size(0));
    const std::uint64_t mask = size(0) - 1;
    return [shift, mask](std::uint64_t index) {
      return place_of_word{static_cast<std::uint32_t>(index >> shift),
                           static_cast<std::uint32_t>(index & mask)};
    };
  }
  auto multiplied() const {
    // A divisor that is at least the size of each block gives the owner or the one before it.
    const std::uint64_t divisor = (first_.back() / (first_.size() - 1)) + 1;
    const std::uint64_t reciprocal = ~std::uint64_t{0} / divisor;
    const std::uint64_t* const first = first_.data();
    return [reciprocal, first](std::uint64_t index) {
      __extension__ using wide = unsigned __int128;
      auto owner = static_cast<std::uint64_t>((static_cast<wide>(index) * reciprocal) >> 64);
      owner += static_cast<std::uint64_t>(index >= first[owner + 1]);
      return place_of_word{static_cast<std::uint32_t>(owner),
                           static_cast<std::uint32_t>(index - first[owner])};
    };
  }

 private:
  std::vector<std::uint64_t> first_;  // first[k]: the first index of PE k; one more at the end
};

}  // namespace lamellar::benchmark
