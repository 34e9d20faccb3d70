// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// The random numbers of HPCC's RandomAccess, from any place of their sequence on.
namespace lamellar::benchmark {

/// Number k is x^(k + 1), as a polynomial over the field of two elements, modulo
/// x^64 + x^2 + x + 1; bit i is the coefficient of x^i.
///
/// Thread-safety: a value. Source: the HPC Challenge benchmark.
class hpcc_random {
 public:
  /// The next is number `first`. Cost: about log2(first) products.
  explicit constexpr hpcc_random(std::uint64_t first) noexcept : last_{power_of_x(first)} {}
  constexpr std::uint64_t next() noexcept { return last_ = times_x(last_); }

 private:
  static constexpr std::uint64_t times_x(std::uint64_t a) noexcept {
    return a << 1 ^ (a >> 63) * 7;
  }
  static constexpr std::uint64_t product(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t sum = 0;
    for (unsigned bit = 64; bit-- != 0;) {
      sum = times_x(sum) ^ (b >> bit & 1) * a;
    }
    return sum;
  }
  static constexpr std::uint64_t power_of_x(std::uint64_t n) noexcept {
    std::uint64_t power = 1;
    for (unsigned bit = 64; bit-- != 0;) {
      power = product(power, power);
      if ((n >> bit & 1) != 0) power = times_x(power);
    }
    return power;
  }

  std::uint64_t last_;
};

// Where the sequence is cut makes no difference.
static_assert([] {
  hpcc_random from_start{0};
  for (int k = 0; k < 1000; ++k) from_start.next();
  return hpcc_random{1000}.next() == from_start.next();
}());

}  // namespace lamellar::benchmark
