// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/settings.hpp>

// Whether the PEs of a host gather what they send to other hosts, and in what sizes. Every PE
// keeps a buffer open for every other one. On many PEs these buffers, and those under way,
// would fill a host's memory: there they are small, *packets*, and those from all PEs of a host
// to all PEs of another one share the messages of the network.
//
// Thread-safety: functions of their arguments.
namespace lamellar::lamellae {

struct host_aggregation {
  bool on = false;
  std::uint32_t packet_bytes = 0;   ///< the buffers of a PE, all headers included
  std::uint32_t message_bytes = 0;  ///< of the network
  std::uint32_t depth = 0;          ///< packets under way in a channel

  /// What is left of a packet, once it and the message that it is in have headers.
  std::uint32_t payload_bytes() const { return packet_bytes - 64; }
};

/// The same on all PEs of a job: follows from what they agree on.
host_aggregation plan_host_aggregation(const settings& s, std::uint32_t pes,
                                       std::uint32_t hosts);

}  // namespace lamellar::lamellae
