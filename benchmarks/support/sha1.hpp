// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

// SHA-1 of a few words: a splittable source of random numbers, not a means of security.
//
// Source: FIPS 180-4. Thread-safety: pure.
namespace lamellar::benchmark {

using sha1_digest = std::array<std::uint32_t, 5>;

/// The digest of `words`, read as bytes with the most significant one first.
template <std::size_t Words>
  requires(Words <= 13)
inline sha1_digest sha1(const std::array<std::uint32_t, Words>& words) {
  std::uint32_t w[80] = {};
  for (std::size_t k = 0; k < Words; ++k) w[k] = words[k];
  w[Words] = 0x80000000U;
  w[15] = 32 * Words;
  for (std::size_t k = 16; k < 80; ++k) {
    w[k] = std::rotl(w[k - 3] ^ w[k - 8] ^ w[k - 14] ^ w[k - 16], 1);
  }
  const sha1_digest start{0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
  auto [a, b, c, d, e] = start;
  const auto step = [&](std::uint32_t f, std::uint32_t constant, std::uint32_t word) {
    const std::uint32_t next = std::rotl(a, 5) + f + e + constant + word;
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  };
  for (std::size_t k = 0; k < 20; ++k) step(d ^ (b & (c ^ d)), 0x5a827999U, w[k]);
  for (std::size_t k = 20; k < 40; ++k) step(b ^ c ^ d, 0x6ed9eba1U, w[k]);
  for (std::size_t k = 40; k < 60; ++k) step((b & c) | (d & (b | c)), 0x8f1bbcdcU, w[k]);
  for (std::size_t k = 60; k < 80; ++k) step(b ^ c ^ d, 0xca62c1d6U, w[k]);
  return {start[0] + a, start[1] + b, start[2] + c, start[3] + d, start[4] + e};
}

}  // namespace lamellar::benchmark
