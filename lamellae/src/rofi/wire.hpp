// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <optional>
#include <span>
#include <type_traits>

// What PEs of different hosts write to each other. Every message begins with a header that says
// who sends it, and carries along how far the buffers of the other direction have come. What
// does not prove to be of this job, or does not make sense, is not looked at further.
//
// Thread-safety: functions of their arguments.
namespace lamellar::lamellae {

enum class wire_kind : std::uint8_t {
  body = 0,     ///< a buffer of traffic::body
  handler = 1,  ///< a buffer of traffic::handler
  news = 2,     ///< nothing but the header
  wave = 3      ///< a host's part in a wave
};

/// Counts travel as their last bits: the receiver knows about how far they are. So the header
/// and a small record stay below what the provider tcp sends without a completion: 64 bytes.
/// Numbers are little-endian, as on all machines that this runs on.
struct wire_header {
  std::uint64_t tag;  ///< of the job: secret
  std::uint32_t from;
  std::uint32_t bytes : 24;  ///< that follow and mean something
  std::uint32_t kind : 8;
  std::uint16_t flags;
  std::uint16_t number;  ///< of a buffer, in its channel, from 0
  /// Of the buffers that the receiver of this message has posted to its sender:
  std::uint16_t freed[traffic_classes];
  std::uint32_t handled;
  std::uint32_t failed;
};
static_assert(sizeof(wire_header) == 32);

/// Payloads are shorter than this.
inline constexpr std::uint32_t payload_limit = 1U << 24;

/// A count that has these last bits, and is `known` or a little more; `known`, if they belong
/// to an earlier one.
template <std::unsigned_integral Bits>
constexpr std::uint64_t whole_count(std::uint64_t known, Bits last) {
  const auto ahead =
      static_cast<std::make_signed_t<Bits>>(static_cast<Bits>(last - static_cast<Bits>(known)));
  return known + static_cast<std::uint64_t>(std::max<std::make_signed_t<Bits>>(0, ahead));
}

/// Messages are padded to a multiple of this.
inline constexpr std::uint32_t wire_alignment = 16;

struct wire_message {
  wire_header header;
  std::span<const std::byte> payload;
};

/// Read a message of a job with secret `tag` and `pes` PEs; nothing if it is none.
std::optional<wire_message> read_message(std::span<const std::byte> arrived, std::uint64_t tag,
                                         std::uint32_t pes);

/// A part of a wave: the sums of some PEs, and two PEs whose tags differ if any do.
struct wave_part {
  std::uint64_t round;
  std::uint32_t step;
  std::uint32_t agreed;
  std::uint64_t sums[4];
  struct {
    std::uint64_t tag;
    std::uint64_t pe;
  } seen[2];
};
static_assert(sizeof(wave_part) == 80);

/// Both parts in one.
wave_part merged(const wave_part& a, const wave_part& b);

}  // namespace lamellar::lamellae
