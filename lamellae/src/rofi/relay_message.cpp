// SPDX-License-Identifier: BSD-3-Clause
#include "relay_message.hpp"

#include <cstring>

namespace lamellar::lamellae {

std::optional<relay_message> read_relay_message(std::span<const std::byte> arrived,
                                                std::uint64_t tag, std::uint32_t hosts) {
  relay_message read;
  if (arrived.size() < sizeof(read.header)) return std::nullopt;
  std::memcpy(&read.header, arrived.data(), sizeof(read.header));
  const std::span<const std::byte> rest = arrived.subspan(sizeof(read.header));
  if (read.header.tag != tag || read.header.from >= hosts || read.header.bytes > rest.size()) {
    return std::nullopt;
  }
  read.packets = rest.first(read.header.bytes);
  return read;
}

std::optional<packet> next_packet(std::span<const std::byte>& packets) {
  packet_header header;
  if (packets.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, packets.data(), sizeof(header));
  if (header.bytes % sizeof(header) != 0 || header.bytes > packets.size() - sizeof(header)) {
    return std::nullopt;
  }
  const packet next{header.to, packets.subspan(sizeof(header), header.bytes)};
  packets = packets.subspan(sizeof(header) + header.bytes);
  return next;
}

}  // namespace lamellar::lamellae
