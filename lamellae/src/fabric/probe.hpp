// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fabric.hpp"

// Whether a provider does what it claims, tried on a fabric that knows one peer, itself.
namespace lamellar::lamellae {

/// Memory that a network may still write to when an attempt is given up.
struct probe_space {
  static constexpr std::size_t words = 512;
  std::array<std::uint64_t, words> exposed{};
  std::array<std::uint64_t, words> source{};
  std::array<std::uint64_t, words> back{};
  std::uint64_t before = 0;
  transfer done;
};

struct probe_result {
  std::string refusal;   ///< what it does not do; empty: it can be used
  bool atomics = false;  ///< fetch_add() adds and fetches
};

/// `messages` of the longest kind go out and come back. Cost: a millisecond or less; some
/// seconds where a provider does nothing at all.
probe_result try_out(fabric& with, probe_space& space, std::uint32_t message_bytes,
                     std::uint32_t messages);

}  // namespace lamellar::lamellae
