// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

// Keys for tests of maps, sets and counters, which every PE can make for every other: what PE p
// does in a test is a function of p, and a model of all of it is computed on each PE.
//
// Thread-safety: functions of their arguments.
namespace lamellar::testing {

/// The key with this number.
template <class K>
K key_number(std::uint64_t k) {
  if constexpr (std::same_as<K, std::string>) {
    return "key " + std::to_string(k) + std::string(k % 30, '-');
  } else {
    return static_cast<K>(k * 7919);
  }
}

/// How numbers of keys are spread.
struct spread {
  const char* name;
  std::uint64_t operations;  // of each PE
  std::uint64_t keys;        // distinct ones, at most
  double zipf;               // exponent; 0: uniform
};

inline const std::vector<spread>& spreads() {
  static const std::vector<spread> all{
      {"nothing", 0, 1, 0},         {"a few", 3, 50, 0},         {"uniform", 600, 300, 0},
      {"mostly new", 600, 5000, 0}, {"Zipf 1.2", 600, 500, 1.2}, {"all equal", 600, 1, 0}};
  return all;
}

/// The numbers of the keys that PE `pe` uses in step `step`.
inline std::vector<std::uint64_t> numbers_of(const spread& how, std::uint32_t pe,
                                             std::uint32_t step) {
  std::mt19937_64 random{pe * 1000U + step};
  std::vector<double> weights;
  for (std::uint64_t k = 1; k <= how.keys; ++k) {
    weights.push_back(std::pow(static_cast<double>(k), -how.zipf));
  }
  std::discrete_distribution<std::uint64_t> draw(weights.begin(), weights.end());
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t k = 0; k < how.operations; ++k) numbers.push_back(draw(random));
  return numbers;
}

}  // namespace lamellar::testing
