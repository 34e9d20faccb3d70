// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

// Finds the keys of a list that have come before, block by block. Where the first keys of a
// block have next to none, the rest of it and the next few blocks are not searched.
//
// Thread-safety: none.
namespace lamellar::detail {

class repeated_keys {
 public:
  /// Begin a block of n keys; whether it is to be searched.
  bool begin(std::size_t n) {
    found_.clear();
    searching_ = idle_ == 0;
    if (!searching_) {
      --idle_;
      return false;
    }
    looked_ = 0;
    places_.assign(std::bit_ceil(2 * n), none);
    shift_ = 64U - static_cast<unsigned>(std::countr_zero(places_.size()));
    first_ = ~std::size_t{0};
    return true;
  }

  /// Whether a key of this block before `k` is the same: same(other). `h`: k's mixed hash.
  template <class Same>
  bool find(std::uint64_t h, std::size_t k, const Same& same) {
    if (!searching_) {
      return false;
    }
    if (first_ == ~std::size_t{0}) {
      first_ = k;
    }
    if (looked_++ == enough && found_.size() < enough / 64) {
      searching_ = false;
      idle_ = 7;
      return false;
    }
    // Not the bits that name the owner: all keys of a block may have the same.
    std::size_t at = (h << 8 | h >> 56) >> shift_;
    for (;; at = (at + 1) & (places_.size() - 1)) {
      std::uint32_t& place = places_[at];
      if (place == none) {
        place = static_cast<std::uint32_t>(k - first_);
        break;
      }
      if (same(first_ + place)) {
        found_.emplace_back(k, first_ + place);
        return true;
      }
    }
    return false;
  }

  /// Pairs of keys of this block: one, and an earlier one that is the same. To be read at the
  /// end of the block.
  const std::vector<std::pair<std::size_t, std::size_t>>& found() const { return found_; }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static constexpr std::size_t enough = 2048;  // keys that tell whether many repeat

  std::vector<std::uint32_t> places_;
  std::vector<std::pair<std::size_t, std::size_t>> found_;
  std::size_t first_ = 0;
  std::size_t looked_ = 0;
  unsigned shift_ = 0;
  unsigned idle_ = 0;
  bool searching_ = false;
};

}  // namespace lamellar::detail
