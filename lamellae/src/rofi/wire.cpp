// SPDX-License-Identifier: BSD-3-Clause
#include "wire.hpp"

#include <cstring>

namespace lamellar::lamellae {

std::optional<wire_message> read_message(std::span<const std::byte> arrived, std::uint64_t tag,
                                         std::uint32_t pes) {
  wire_message read;
  if (arrived.size() < sizeof(read.header)) return std::nullopt;
  std::memcpy(&read.header, arrived.data(), sizeof(read.header));
  const wire_header& header = read.header;
  const std::span<const std::byte> rest = arrived.subspan(sizeof(header));
  if (header.tag != tag || header.from >= pes || header.bytes > rest.size() ||
      header.kind > static_cast<std::uint8_t>(wire_kind::wave)) {
    return std::nullopt;
  }
  const auto kind = static_cast<wire_kind>(header.kind);
  if (kind == wire_kind::news && header.bytes != 0) return std::nullopt;
  if (kind == wire_kind::wave && header.bytes != sizeof(wave_part)) return std::nullopt;
  read.payload = rest.first(header.bytes);
  return read;
}

wave_part merged(const wave_part& a, const wave_part& b) {
  wave_part both = a;
  for (std::size_t k = 0; k < std::size(both.sums); ++k) both.sums[k] += b.sums[k];
  if (a.agreed != 0 && (b.agreed == 0 || b.seen[0].tag != a.seen[0].tag)) {
    both.agreed = 0;
    both.seen[1] = b.seen[0].tag != a.seen[0].tag ? b.seen[0] : b.seen[1];
  }
  return both;
}

}  // namespace lamellar::lamellae
