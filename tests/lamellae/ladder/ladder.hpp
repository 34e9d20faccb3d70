// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/lamellae/lamella.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

// The ladder: what a lamella must do, from the first promise to the last, in programs that know
// the seam alone. A transport that climbs all rungs, alone and with 2 and 4 PEs, carries the
// layers above. A rung relies only on those below it.
//
// A program opens its job once, from the environment. Each test case calls on_every_pe(), at
// the same places on all PEs; what one case has posted stays counted in the next.
namespace lamellar::ladder {

using namespace lamellar::lamellae;

/// Run `body` as each PE of this process, then wait until all PEs of the job have come so far.
/// A body that throws ends the job with the number of its PE.
void on_every_pe(const std::function<void(lamella&)>& body);

/// Wait for all PEs. One wave.
void meet(lamella& pe);

/// Yield until `is_so` holds; throws, saying what was waited for, when it does not come to
/// hold.
template <class Claim>
void wait_until(Claim is_so, const char* what) {
  const auto patience = std::chrono::seconds{60};
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error{std::string{"waited in vain for "} + what};
    }
    std::this_thread::yield();
  }
}

/// The same for what changes only while this PE looks after its messages. Takes none.
template <class Claim>
void wait_polling(lamella& pe, Claim is_so, const char* what) {
  wait_until(
      [&] {
        pe.poll({}, true);
        return is_so();
      },
      what);
}

/// Whether this PE and `peer` share a host, and so what only PEs of one host can share.
inline bool is_near(const lamella& pe, std::uint32_t peer) {
  return pe.host_of(peer) == pe.host_of(pe.me());
}

/// A peer that is reached in the same way by everybody, and reaches this PE's like: across
/// hosts, if there are two. Requires: more than one PE.
inline std::uint32_t opposite(const lamella& pe) {
  return (pe.me() + pe.size() / 2) % pe.size();
}

/// A byte that tells apart the PEs, their messages, and the places in a message.
inline std::byte pattern(std::uint64_t seed, std::size_t at) {
  std::uint64_t mixed = (seed + 1) * 0x9e3779b97f4a7c15 + at * 0xff51afd7ed558ccd;
  mixed ^= mixed >> 29;
  return static_cast<std::byte>(mixed & 0xff);
}

inline void fill(std::span<std::byte> into, std::uint64_t seed) {
  for (std::size_t at = 0; at < into.size(); ++at) into[at] = pattern(seed, at);
}

inline bool holds(std::span<const std::byte> bytes, std::uint64_t seed) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] != pattern(seed, at)) return false;
  }
  return true;
}

}  // namespace lamellar::ladder
