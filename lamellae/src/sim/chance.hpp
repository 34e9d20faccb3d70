// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <random>

// All that is random in a simulated run. The generator is the standard's and the distributions
// are ours, so that a seed means the same run with every compiler and library.
namespace lamellar::lamellae::sim {

class chance {
 public:
  explicit chance(std::uint64_t seed) : generator_{seed * 0x9e3779b97f4a7c15u + 1} {}

  /// From 0 to n - 1. Requires: n > 0.
  std::uint64_t below(std::uint64_t n) { return generator_() % n; }

  /// True `times` times out of `of`.
  bool happens(std::uint64_t times, std::uint64_t of) { return below(of) < times; }

  /// Mostly short, rarely long: up to 2^k, where each k from 0 to `log` is as likely.
  std::uint64_t skewed(std::uint32_t log) {
    return below(std::uint64_t{1} << below(std::uint64_t{log} + 1));
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace lamellar::lamellae::sim
