// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <optional>
#include <span>

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

/// Numbers are little-endian, as on all machines that this runs on.
struct wire_header {
  std::uint64_t tag;  ///< of the job: secret
  std::uint32_t from;
  std::uint32_t bytes;  ///< that follow and mean something
  std::uint16_t flags;
  std::uint8_t kind;
  std::uint8_t spare[5];
  std::uint64_t number;  ///< of a buffer, in its channel, from 0
  /// Of the buffers that the receiver of this message has posted to its sender:
  std::uint64_t freed[traffic_classes];
  std::uint64_t handled;
  std::uint64_t failed;
};
static_assert(sizeof(wire_header) == 64);

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
