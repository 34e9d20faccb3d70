// SPDX-License-Identifier: BSD-3-Clause
// Whatever arrives from the network, by either way, is read without reading past it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "rofi/connection.hpp"
#include "rofi/relay_message.hpp"
#include "rofi/wire.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_as_message(std::span<const std::byte> bytes) {
  using namespace lamellar::lamellae;
  constexpr std::uint32_t pes = 7;
  // The tag of the bytes themselves, or hardly anything would be read further.
  std::uint64_t tag = 0;
  if (bytes.size() >= sizeof(tag)) std::memcpy(&tag, bytes.data(), sizeof(tag));
  const auto read = read_message(bytes, tag, pes);
  require(!read_message(bytes, tag + 1, pes).has_value());
  if (!read) return;
  require(read->header.from < pes);
  require(read->payload.size() == read->header.bytes);
  require(read->payload.data() >= bytes.data() &&
          read->payload.data() + read->payload.size() <= bytes.data() + bytes.size());
}

void read_as_message_of_a_host(std::span<const std::byte> bytes) {
  using namespace lamellar::lamellae;
  constexpr std::uint32_t hosts = 3;
  std::uint64_t tag = 0;
  if (bytes.size() >= sizeof(tag)) std::memcpy(&tag, bytes.data(), sizeof(tag));
  require(!read_relay_message(bytes, tag + 1, hosts).has_value());
  const auto read = read_relay_message(bytes, tag, hosts);
  if (!read) return;
  require(read->header.from < hosts);
  std::span<const std::byte> rest = read->packets;
  std::size_t taken = 0;
  while (const auto next = next_packet(rest)) {
    require(next->bytes.data() >= bytes.data() &&
            next->bytes.data() + next->bytes.size() <= bytes.data() + bytes.size());
    taken += sizeof(packet_header) + next->bytes.size();
  }
  require(taken + rest.size() == read->packets.size());
}

void read_as_frames(std::span<const std::byte> bytes) {
  using namespace lamellar::lamellae;
  // In two parts, as they may come.
  std::string arrived;
  bool broken = false;
  std::size_t taken = 0;
  const std::size_t half = bytes.size() / 2;
  for (const auto part : {bytes.first(half), bytes.subspan(half)}) {
    arrived.append(reinterpret_cast<const char*>(part.data()), part.size());
    while (!broken) {
      const std::size_t before = arrived.size();
      const auto one = take_frame(arrived, broken);
      if (!one) break;
      require(arrived.size() < before && one->text.size() <= frame::longest_text);
      taken += to_bytes(*one).size();
    }
  }
  require(taken + arrived.size() == bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes{reinterpret_cast<const std::byte*>(data), size};
  read_as_message(bytes);
  read_as_message_of_a_host(bytes);
  read_as_frames(bytes);
  return 0;
}
