// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// Random numbers by their place in a sequence: any PE can have any of them at once, so that
// what is drawn depends on a seed and not on who draws it.
//
// Thread-safety: pure functions. Source: SplitMix64 (Steele, Lea, Flood), as a function of the
// counter.
namespace lamellar::detail {

/// A bijection of words, each bit of which depends on all.
constexpr std::uint64_t mixed_bits(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// The numbers of one seed; within 2^64 of them none comes twice.
class random_numbers {
 public:
  explicit constexpr random_numbers(std::uint64_t seed) noexcept
      : start_{mixed_bits(seed + 0x9e3779b97f4a7c15U)} {}
  /// Number `index`.
  constexpr std::uint64_t operator()(std::uint64_t index) const noexcept {
    return mixed_bits(start_ + index * 0x9e3779b97f4a7c15U);
  }
  /// Number `index`, below `bound`. Requires: bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound, std::uint64_t index) const noexcept {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<wide>((*this)(index)) * bound) >> 64);
  }

 private:
  std::uint64_t start_;
};

}  // namespace lamellar::detail
