// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// A set of the numbers below n, as a bit for each, and which of its members a number is.
//
// Thread-safety: as a std::vector.
namespace lamellar::detail {

class bit_set {
 public:
  static constexpr std::size_t word_bits = 64;

  bit_set() = default;
  explicit bit_set(std::uint64_t n) : words_((n + word_bits - 1) / word_bits) {}

  bool contains(std::uint64_t k) const {
    return ((words_[k / word_bits] >> (k % word_bits)) & 1) != 0;
  }
  /// Whether it was not there.
  bool insert(std::uint64_t k) {
    std::uint64_t& word = words_[k / word_bits];
    const std::uint64_t bit = std::uint64_t{1} << (k % word_bits);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }
  std::span<std::uint64_t> words() { return words_; }

  /// Its members in order.
  std::vector<std::uint64_t> members() const {
    std::vector<std::uint64_t> all;
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        all.push_back(w * word_bits + static_cast<unsigned>(std::countr_zero(word)));
      }
    }
    return all;
  }
  /// Let rank() be of use. Requires: no insert() afterwards.
  void count() {
    before_.reserve(words_.size());
    std::uint64_t sum = 0;
    for (const std::uint64_t word : words_) {
      before_.push_back(sum);
      sum += static_cast<unsigned>(std::popcount(word));
    }
  }
  /// How many of its members are less than k.
  std::uint64_t rank(std::uint64_t k) const {
    const std::uint64_t below = (std::uint64_t{1} << (k % word_bits)) - 1;
    return before_[k / word_bits] +
           static_cast<unsigned>(std::popcount(words_[k / word_bits] & below));
  }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> before_;  // members in earlier words; empty before count()
};

}  // namespace lamellar::detail
