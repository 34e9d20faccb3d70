// SPDX-License-Identifier: BSD-3-Clause
#include "far_channels.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace lamellar::lamellae {
namespace {

constexpr std::uint32_t polls_before_news = 3;

constexpr std::size_t index_of(traffic kind) { return static_cast<std::size_t>(kind); }

/// The count of which the other end has told the last bits. Who polls alone writes these.
template <class Bits>
std::uint64_t told(const std::atomic<std::uint64_t>& known, Bits last) {
  return whole_count(known.load(std::memory_order_relaxed), last);
}

/// Never lower it: what is told may be overtaken on its way.
void raise(std::atomic<std::uint64_t>& to, std::uint64_t value) {
  std::uint64_t now = to.load(std::memory_order_relaxed);
  while (now < value && !to.compare_exchange_weak(now, value, std::memory_order_release,
                                                  std::memory_order_relaxed)) {
  }
}

}  // namespace

far_channels::far_channels(carrier& over, std::uint32_t me, std::vector<bool> is_far,
                           std::uint32_t depth, std::uint32_t payload_bytes, std::uint64_t tag)
    : carrier_{over},
      me_{me},
      size_{static_cast<std::uint32_t>(is_far.size())},
      depth_{depth},
      payload_bytes_{payload_bytes},
      tag_{tag},
      is_far_{std::move(is_far)},
      peers_{std::make_unique<far_peer[]>(size_)} {}

// --- sending ---

out_buffer far_channels::acquire(std::uint32_t peer, traffic kind) {
  out_channel& channel = peers_[peer].out[index_of(kind)];
  if (channel.buffer == nullptr) {
    if (channel.posted - channel.freed.load(std::memory_order_acquire) >= depth_) return {};
    channel.buffer = carrier_.take_buffer();
    if (channel.buffer == nullptr) return {};
  }
  return {channel.buffer + sizeof(wire_header), payload_bytes_};
}

void far_channels::fill(wire_header& header, std::uint32_t peer, wire_kind kind,
                        std::uint32_t bytes) {
  far_peer& to = peers_[peer];
  header = {};
  header.tag = tag_;
  header.from = me_;
  header.bytes = bytes & (payload_limit - 1);
  header.kind = static_cast<std::uint8_t>(kind);
  for (std::size_t k = 0; k < traffic_classes; ++k) {
    const std::uint64_t freed = to.in[k].freed.load(std::memory_order_acquire);
    header.freed[k] = static_cast<std::uint16_t>(freed);
    raise(to.told_freed[k], freed);
  }
  // `handled` first: what it counts has left its failures behind.
  const std::uint64_t handled = to.in_handled.load(std::memory_order_acquire);
  header.handled = static_cast<std::uint32_t>(handled);
  header.failed = static_cast<std::uint32_t>(to.in_failed.load(std::memory_order_relaxed));
  raise(to.told_handled, handled);
}

void far_channels::send(std::uint32_t peer, std::byte* buffer) {
  const auto& header = *reinterpret_cast<const wire_header*>(buffer);
  const std::size_t bytes = sizeof(wire_header) + header.bytes;
  const std::size_t padded = (bytes + wire_alignment - 1) / wire_alignment * wire_alignment;
  std::memset(buffer + bytes, 0, padded - bytes);
  carrier_.send(peer, buffer, static_cast<std::uint32_t>(padded));
}

void far_channels::post(std::uint32_t peer, traffic kind, std::uint32_t bytes,
                        std::uint16_t flags) {
  out_channel& channel = peers_[peer].out[index_of(kind)];
  std::byte* const buffer = std::exchange(channel.buffer, nullptr);
  auto& header = *reinterpret_cast<wire_header*>(buffer);
  fill(header, peer, static_cast<wire_kind>(kind), bytes);
  header.flags = flags;
  header.number = static_cast<std::uint16_t>(channel.posted++);
  send(peer, buffer);
}

bool far_channels::send_wave(std::uint32_t peer, const wave_part& part) {
  std::byte* const buffer = carrier_.take_buffer();
  if (buffer == nullptr) return false;
  fill(*reinterpret_cast<wire_header*>(buffer), peer, wire_kind::wave, sizeof(part));
  std::memcpy(buffer + sizeof(wire_header), &part, sizeof(part));
  send(peer, buffer);
  carrier_.flush();
  return true;
}

delivery far_channels::delivered(std::uint32_t peer) const {
  const far_peer& to = peers_[peer];
  delivery it;
  it.posted = to.out[0].posted + to.out[1].posted;
  it.handled = to.out_handled.load(std::memory_order_acquire);
  it.failed = to.out_failed.load(std::memory_order_relaxed);
  return it;
}

// --- receiving ---

void far_channels::hear(far_peer& from, const wire_header& header) {
  for (std::size_t k = 0; k < traffic_classes; ++k) {
    raise(from.out[k].freed, told(from.out[k].freed, header.freed[k]));
  }
  raise(from.out_failed, told(from.out_failed, header.failed));
  raise(from.out_handled, told(from.out_handled, header.handled));
}

void far_channels::take(const fabric_arrival& arrival) {
  const auto read = read_message({arrival.data, arrival.bytes}, tag_, size_);
  if (!read || !is_far_[read->header.from]) {
    ++refused_;
    carrier_.release(arrival);
    return;
  }
  const wire_header& header = read->header;
  far_peer& from = peers_[header.from];
  hear(from, header);
  const auto kind = static_cast<wire_kind>(header.kind);
  if (kind == wire_kind::wave) {
    wave_part part;
    std::memcpy(&part, read->payload.data(), sizeof(part));
    waves_.push_back(part);
  }
  if (kind == wire_kind::wave || kind == wire_kind::news) {
    carrier_.release(arrival);
    return;
  }
  in_channel& channel = from.in[index_of(static_cast<traffic>(kind))];
  if (header.number != static_cast<std::uint16_t>(channel.arrived) ||
      channel.arrived - channel.freed.load(std::memory_order_relaxed) >= depth_) {
    ++refused_;  // twice, or without credit: no member of the job sends this
    carrier_.release(arrival);
    return;
  }
  ++channel.arrived;
  std::uint32_t slot = static_cast<std::uint32_t>(live_.size());
  if (free_slots_.empty()) {
    live_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  live_[slot] = {arrival, read->payload.data(), header.bytes, header.flags};
  channel.waiting.push_back(slot);
  if (!channel.is_listed) {
    channel.is_listed = true;
    ready_[index_of(static_cast<traffic>(kind))].push_back(header.from);
  }
}

std::uint32_t far_channels::hand_out(traffic kind, std::span<in_buffer> into) {
  std::deque<std::uint32_t>& ready = ready_[index_of(kind)];
  std::uint32_t found = 0;
  for (std::size_t left = ready.size(); left != 0 && found < into.size(); --left) {
    const std::uint32_t peer = ready.front();
    ready.pop_front();
    in_channel& channel = peers_[peer].in[index_of(kind)];
    const std::uint32_t slot = channel.waiting.front();
    channel.waiting.pop_front();
    const live_buffer& buffer = live_[slot];
    into[found++] = {buffer.data, buffer.bytes, peer, slot, buffer.flags, kind};
    channel.is_listed = !channel.waiting.empty();
    if (channel.is_listed) ready.push_back(peer);
  }
  return found;
}

std::uint32_t far_channels::poll(std::span<in_buffer> into, bool bodies) {
  std::array<fabric_arrival, 16> arrived;
  const std::uint32_t got = carrier_.poll(arrived);
  for (std::uint32_t k = 0; k < got; ++k) take(arrived[k]);
  std::uint32_t found = hand_out(traffic::handler, into);
  if (bodies) found += hand_out(traffic::body, into.subspan(found));
  if (got != 0 || found != 0) {
    idle_polls_ = 0;
  } else if (!untold_.empty() && ++idle_polls_ >= polls_before_news) {
    tell_all();
  }
  return found;
}

// --- saying how far it has come ---

void far_channels::release(const in_buffer& buffer, bool handled, bool failed) {
  carrier_.release(live_[buffer.slot].arrival);
  free_slots_.push_back(buffer.slot);
  far_peer& from = peers_[buffer.from];
  in_channel& channel = from.in[index_of(buffer.kind)];
  const std::uint64_t freed = channel.freed.load(std::memory_order_relaxed) + 1;
  if (handled) settle(buffer.from, failed);
  channel.freed.store(freed, std::memory_order_release);
  note_untold(buffer.from);
  // The sender may be waiting for room.
  const std::uint64_t told =
      from.told_freed[index_of(buffer.kind)].load(std::memory_order_relaxed);
  if (freed - told >= depth_ / 2) {
    tell(buffer.from);
    carrier_.flush();
  }
}

void far_channels::settle(std::uint32_t peer, bool failed) {
  far_peer& from = peers_[peer];
  if (failed) {
    from.in_failed.store(from.in_failed.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
  }
  from.in_handled.store(from.in_handled.load(std::memory_order_relaxed) + 1,
                        std::memory_order_release);
  note_untold(peer);
}

void far_channels::note_untold(std::uint32_t peer) {
  if (std::exchange(peers_[peer].is_untold, true)) return;
  untold_.push_back(peer);
}

bool far_channels::has_news(const far_peer& of) const {
  bool any = of.in_handled.load(std::memory_order_relaxed) !=
             of.told_handled.load(std::memory_order_relaxed);
  for (std::size_t k = 0; k < traffic_classes; ++k) {
    any |= of.in[k].freed.load(std::memory_order_relaxed) !=
           of.told_freed[k].load(std::memory_order_relaxed);
  }
  return any;
}

bool far_channels::tell(std::uint32_t peer) {
  if (!has_news(peers_[peer])) return true;
  std::byte* const buffer = carrier_.take_buffer();
  if (buffer == nullptr) return false;
  fill(*reinterpret_cast<wire_header*>(buffer), peer, wire_kind::news, 0);
  send(peer, buffer);
  return true;
}

void far_channels::tell_all() {
  idle_polls_ = 0;
  while (!untold_.empty() && tell(untold_.back())) {
    peers_[untold_.back()].is_untold = false;
    untold_.pop_back();
  }
  carrier_.flush();
}

}  // namespace lamellar::lamellae
