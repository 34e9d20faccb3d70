// SPDX-License-Identifier: BSD-3-Clause
#include "host_aggregation.hpp"

#include <algorithm>
#include <bit>
#include <lamellar/lamellae/lamella.hpp>

namespace lamellar::lamellae {
namespace {

constexpr std::uint32_t many_pes = 64;
/// What a PE's packets may take: one open for each peer and class, and those under way to it.
constexpr std::uint32_t share_of_a_pe = 3U << 20;
constexpr std::uint32_t smallest_packet = 2U << 10;
constexpr std::uint32_t largest_packet = 8U << 10;
constexpr std::uint32_t usual_message = 16U << 10;
constexpr std::uint32_t least_depth = 2;
constexpr std::uint32_t most_depth = 8;

}  // namespace

host_aggregation plan_host_aggregation(const settings& s, std::uint32_t pes,
                                       std::uint32_t hosts) {
  host_aggregation plan;
  plan.on = hosts > 1 && s.host_aggregation.value_or(pes > many_pes && pes > hosts);
  if (!plan.on) return plan;
  const std::uint32_t share = share_of_a_pe / pes;
  plan.packet_bytes =
      s.buffer_bytes_given
          ? static_cast<std::uint32_t>(s.buffer_bytes)
          : std::clamp(std::bit_floor(share / (traffic_classes * (1 + least_depth))),
                       smallest_packet, largest_packet);
  const std::uint32_t left = share / traffic_classes / plan.packet_bytes;
  plan.depth = std::clamp(left, least_depth + 1, most_depth + 1) - 1;
  plan.message_bytes = std::max(usual_message, 2 * plan.packet_bytes);
  return plan;
}

}  // namespace lamellar::lamellae
