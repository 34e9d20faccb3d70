// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

// Random numbers by their place in a sequence: any PE can have any of them at once, so that
// what is drawn depends on a seed and not on who draws it. They are the same with every
// standard library, other than those of its distributions.
//
// Thread-safety: random_sequence: a value; the others: pure functions. Source: SplitMix64
// (Steele, Lea, Flood), as a function of the counter.
namespace lamellar::detail {

/// Of a counter that grows by this, mixed_bits() makes numbers that look random.
inline constexpr std::uint64_t counter_step = 0x9e3779b97f4a7c15U;

/// A bijection of words, each bit of which depends on all.
constexpr std::uint64_t mixed_bits(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// A random word as a number below `bound`. Requires: bound > 0.
constexpr std::uint64_t scaled_to(std::uint64_t bound, std::uint64_t word) noexcept {
  __extension__ using wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<wide>(word) * bound) >> 64);
}

/// The numbers of one seed; within 2^64 of them none comes twice.
class random_numbers {
 public:
  explicit constexpr random_numbers(std::uint64_t seed) noexcept
      : start_{mixed_bits(seed + counter_step)} {}
  /// Number `index`.
  constexpr std::uint64_t operator()(std::uint64_t index) const noexcept {
    return mixed_bits(start_ + index * counter_step);
  }
  /// Number `index`, below `bound`. Requires: bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound, std::uint64_t index) const noexcept {
    return scaled_to(bound, (*this)(index));
  }

 private:
  std::uint64_t start_;
};

/// The same one after the other. Sequences of different `who` are independent of each other.
class random_sequence {
 public:
  constexpr random_sequence() noexcept = default;
  explicit constexpr random_sequence(std::uint64_t seed, std::uint64_t who = 0) noexcept
      : counter_{mixed_bits(mixed_bits(seed + counter_step) + who)} {}
  constexpr std::uint64_t next() noexcept { return mixed_bits(counter_ += counter_step); }
  /// The next one, below `bound`. Requires: bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    return scaled_to(bound, next());
  }

  template <class Archive>
  void serialize(Archive& by) {
    by(counter_);
  }

 private:
  std::uint64_t counter_ = 0;
};

/// `count` different numbers below n, in order, each choice as likely as any other. Requires:
/// count <= n. Cost: O(count log count). Source: Floyd.
std::vector<std::uint64_t> distinct_numbers(std::uint64_t n, std::uint64_t count,
                                            std::uint64_t seed);

}  // namespace lamellar::detail
