// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// A number that looks random and is a pure function of another one, so that every PE can make
// any part of an input by itself.
//
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
// Thread-safety: constant.
namespace lamellar::benchmark {

constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// A number above 0 and at most 1 of a random one.
constexpr double fraction_of(std::uint64_t random) {
  return (static_cast<double>(random >> 11) + 1) * 0x1p-53;
}

}  // namespace lamellar::benchmark
