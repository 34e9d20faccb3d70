// SPDX-License-Identifier: BSD-3-Clause
// Aggregation by host, as the lamella rofi does it and at what it costs.
#include <algorithm>
#include <utility>

#include "network.hpp"

namespace lamellar::lamellae::sim {

/// The PE of `of_host` that gets the messages of `for_host`.
std::uint32_t network::gateway(std::uint32_t of_host, std::uint32_t for_host) const {
  const std::uint32_t first = of_host * pes_per_host_;
  return first + for_host % std::min(pes_per_host_, pes_ - first);
}

/// Send what this host has gathered for another one: one message, which its gateway there hands
/// out. Its work is shared by those who take the packets.
void network::ship(std::uint32_t me, std::uint32_t to_host) {
  outbox& box = outboxes_[std::size_t{host_of(me)} * host_bytes_.size() + to_host];
  if (box.packets.empty()) return;
  std::vector<outbox::entry> packets = std::exchange(box.packets, {});
  const std::uint64_t bytes = std::exchange(box.bytes, 0);
  simulated_pe& done = ends_[me].done;
  ++done.network_messages;
  done.network_bytes += bytes;
  turns_.work(me, message_ps_ / 1000 + copy_ns(bytes));
  const std::uint32_t through = gateway(to_host, host_of(me));
  const std::uint64_t arrives = travel(me, through, bytes) + delay();
  const std::uint64_t share = message_ps_ / 1000 / packets.size();
  for (auto& [to, what] : packets) {
    what.work_ns = share + copy_ns(what.bytes);
    send(me, to, std::move(what), to == through ? arrives : arrives + host_latency_ns_);
  }
}

void network::flush(std::uint32_t me) {
  if (!plan_.on) return;
  for (std::uint32_t host = 0; host < host_bytes_.size(); ++host) ship(me, host);
}

}  // namespace lamellar::lamellae::sim
