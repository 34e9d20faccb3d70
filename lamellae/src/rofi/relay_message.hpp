// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

// A message from host to host: a header, then packets for PEs of the receiving host, each
// behind its own header and a multiple of 16 bytes long. What does not prove to be of this job,
// or does not make sense, is not looked at further.
//
// Thread-safety: functions of their arguments; a packet_reader: one thread at a time.
namespace lamellar::lamellae {

struct relay_header {
  std::uint64_t tag;     ///< of the job: secret
  std::uint64_t number;  ///< of the messages between these two hosts, from 0
  std::uint32_t from;    ///< the sending host
  std::uint32_t bytes;   ///< of packets that follow
  std::uint64_t unused;
};
static_assert(sizeof(relay_header) == 32);

struct packet_header {
  std::uint32_t to;     ///< a PE
  std::uint32_t bytes;  ///< that follow
  std::uint64_t unused;
};
static_assert(sizeof(packet_header) == 16);

struct packet {
  std::uint32_t to;
  std::span<const std::byte> bytes;
};

struct relay_message {
  relay_header header;
  std::span<const std::byte> packets;
};

/// Read a message of a job with secret `tag` and `hosts` hosts; nothing if it is none.
std::optional<relay_message> read_relay_message(std::span<const std::byte> arrived,
                                                std::uint64_t tag, std::uint32_t hosts);

/// Takes the first packet off `packets`; nothing at the end, and `packets` is left where what
/// follows makes no sense.
std::optional<packet> next_packet(std::span<const std::byte>& packets);

}  // namespace lamellar::lamellae
