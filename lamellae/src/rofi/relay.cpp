// SPDX-License-Identifier: BSD-3-Clause
#include "relay.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "relay_message.hpp"

namespace lamellar::lamellae {
namespace {

constexpr std::align_val_t alignment{64};
/// Polls after which what has been gathered goes, though there is always something to do.
constexpr std::uint32_t polls_of_patience = 16;

std::byte* new_block(std::size_t bytes) {
  return static_cast<std::byte*>(::operator new(bytes, alignment));
}

}  // namespace

void host_relay::aligned_delete::operator()(std::byte* memory) const {
  ::operator delete(memory, alignment);
}

host_relay::host_relay(fabric& over, const places& where, std::uint32_t me,
                       const host_aggregation& plan, std::uint64_t tag)
    : fabric_{over},
      places_{where},
      me_{me},
      plan_{plan},
      tag_{tag},
      outboxes_(where.host_count()),
      from_(where.host_count()),
      undelivered_(where.pes.size()) {}

std::size_t host_relay::stride() const { return sizeof(outbox) + plan_.message_bytes; }

void host_relay::meet(lamella& host, bootstrap& from) {
  // The outboxes lie with the PEs of the host in turn.
  const auto neighbours = static_cast<std::uint32_t>(places_.pes.size());
  const std::size_t boxes = (places_.host_count() + neighbours - 1) / neighbours;
  const std::size_t bytes = sizeof(shared) + boxes * stride();
  const segment mine = host.allocate_segment(bytes);
  const auto keys = from.exchange(std::as_bytes(std::span{&mine.key, 1}));
  for (std::uint32_t k = 0; k < neighbours; ++k) {
    std::uint64_t key = 0;
    std::memcpy(&key, keys[places_.pes[k]].data(), sizeof(key));
    std::byte* const there = places_.pes[k] == me_ ? mine.data : host.mapped(k, key, bytes);
    near_.push_back(reinterpret_cast<shared*>(there));
  }
  filled_ = &near_[0]->filled;
  for (std::uint32_t g = 0; g < places_.host_count(); ++g) {
    auto* const first = reinterpret_cast<std::byte*>(near_[g % neighbours] + 1);
    outboxes_[g] = reinterpret_cast<outbox*>(first + g / neighbours * stride());
  }
}

/// The PE of `host` to which this host's messages go.
std::uint32_t host_relay::gateway_of(std::uint32_t host) const {
  const auto& there = places_.on_host[host];
  return there[places_.this_host() % there.size()];
}

// --- sending ---

std::byte* host_relay::take_buffer() {
  const std::lock_guard alone{sending_};
  if (free_buffers_.empty()) {
    buffers_.emplace_back(new_block(plan_.packet_bytes));
    return buffers_.back().get();
  }
  std::byte* const buffer = free_buffers_.back();
  free_buffers_.pop_back();
  return buffer;
}

void host_relay::send(std::uint32_t peer, std::byte* buffer, std::uint32_t bytes) {
  // Behind what waits already: packets of a channel stay in their order.
  if (unsent_count_.load(std::memory_order_acquire) == 0 && gather(peer, {buffer, bytes})) {
    const std::lock_guard alone{sending_};
    free_buffers_.push_back(buffer);
    return;
  }
  const std::lock_guard alone{sending_};
  unsent_.push_back({peer, buffer, bytes});
  unsent_count_.store(unsent_.size(), std::memory_order_release);
}

/// Put a packet into its outbox; send what is in there if that is full. False: it is, and the
/// network has no room.
bool host_relay::gather(std::uint32_t to, std::span<const std::byte> packet) {
  const std::uint32_t host = places_.hosts[to];
  outbox& box = *outboxes_[host];
  const packet_header header{to, static_cast<std::uint32_t>(packet.size()), 0};
  const std::size_t room = plan_.message_bytes - sizeof(relay_header);
  std::byte* message = nullptr;
  std::uint32_t message_bytes = 0;
  {
    const std::lock_guard alone{box.lock};
    if (box.bytes.load(std::memory_order_relaxed) + sizeof(header) + packet.size() > room) {
      message = fabric_.take_buffer();
      if (message == nullptr) return false;
      message_bytes = empty(box, message);
    }
    const std::uint32_t begin = box.bytes.load(std::memory_order_relaxed);
    if (begin == 0) filled_->fetch_add(1, std::memory_order_relaxed);
    std::byte* const at = box.data() + begin;
    std::memcpy(at, &header, sizeof(header));
    std::memcpy(at + sizeof(header), packet.data(), packet.size());
    box.bytes.store(begin + static_cast<std::uint32_t>(sizeof(header) + packet.size()),
                    std::memory_order_relaxed);
  }
  if (message != nullptr) fabric_.send(gateway_of(host), message, message_bytes);
  return true;
}

/// Make a message of what `from`, which is locked, holds.
std::uint32_t host_relay::empty(outbox& from, std::byte* into) const {
  const std::uint32_t bytes = from.bytes.load(std::memory_order_relaxed);
  const relay_header header{tag_, from.shipped++, places_.this_host(), bytes, 0};
  std::memcpy(into, &header, sizeof(header));
  std::memcpy(into + sizeof(header), from.data(), bytes);
  from.bytes.store(0, std::memory_order_relaxed);
  filled_->fetch_sub(1, std::memory_order_relaxed);
  return static_cast<std::uint32_t>(sizeof(header)) + bytes;
}

void host_relay::flush() {
  if (filled_->load(std::memory_order_relaxed) == 0) return;
  for (std::uint32_t host = 0; host < outboxes_.size(); ++host) {
    outbox& box = *outboxes_[host];
    if (box.bytes.load(std::memory_order_relaxed) == 0 || !box.lock.try_lock()) continue;
    std::byte* message = nullptr;
    std::uint32_t bytes = 0;
    if (box.bytes.load(std::memory_order_relaxed) != 0) {
      message = fabric_.take_buffer();
      if (message != nullptr) bytes = empty(box, message);
    }
    box.lock.unlock();
    if (message != nullptr) fabric_.send(gateway_of(host), message, bytes);
  }
}

/// Try again with what found no room.
void host_relay::retry() {
  if (unsent_count_.load(std::memory_order_relaxed) != 0) {
    const std::lock_guard alone{sending_};
    while (!unsent_.empty()) {
      const unsent& first = unsent_.front();
      if (!gather(first.to, {first.buffer, first.bytes})) break;
      free_buffers_.push_back(first.buffer);
      unsent_.pop_front();
    }
    unsent_count_.store(unsent_.size(), std::memory_order_release);
  }
  for (std::size_t k = 0; undelivered_count_ != 0 && k < undelivered_.size(); ++k) {
    auto& waiting = undelivered_[k];
    while (!waiting.empty() && near_[k]->packets.push(waiting.front())) {
      waiting.pop_front();
      --undelivered_count_;
    }
  }
}

// --- receiving ---

std::uint32_t host_relay::poll(std::span<fabric_arrival> into) {
  retry();
  std::array<fabric_arrival, 16> arrived;
  const std::uint32_t got = fabric_.poll(arrived);
  for (std::uint32_t k = 0; k < got; ++k) take(arrived[k]);
  inbox& mine = near_[places_.near[me_]]->packets;
  for (auto packet = mine.front(); !packet.empty(); packet = mine.front()) {
    put_aside(packet);
    mine.drop_front();
  }
  if ((got == 0 && ready_.empty()) || ++polls_ >= polls_of_patience) {
    polls_ = 0;
    flush();
  }
  const std::size_t count = std::min(ready_.size(), into.size());
  std::copy_n(ready_.begin(), count, into.begin());
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count));
  return static_cast<std::uint32_t>(count);
}

/// Messages of one host are numbered, but its PEs do not send them one after the other.
void host_relay::take(const fabric_arrival& arrival) {
  const auto read =
      read_relay_message({arrival.data, arrival.bytes}, tag_, places_.host_count());
  if (!read || read->header.from == places_.this_host()) {
    fabric_.release(arrival);
    return;
  }
  arrivals& from = from_[read->header.from];
  const std::uint64_t number = read->header.number;
  if (number != from.expected) {
    // What waits is bounded by the credit of the channels, as all that is under way.
    const bool is_new = number > from.expected && from.early.emplace(number, arrival).second;
    if (!is_new) fabric_.release(arrival);
    return;
  }
  hand_out(read->packets);
  fabric_.release(arrival);
  ++from.expected;
  while (!from.early.empty() && from.early.begin()->first == from.expected) {
    const fabric_arrival next = from.early.begin()->second;
    from.early.erase(from.early.begin());
    hand_out(read_relay_message({next.data, next.bytes}, tag_, places_.host_count())->packets);
    fabric_.release(next);
    ++from.expected;
  }
}

void host_relay::hand_out(std::span<const std::byte> packets) {
  while (const auto next = next_packet(packets)) {
    if (next->to >= places_.near.size() || next->bytes.empty() ||
        next->bytes.size() > plan_.packet_bytes) {
      return;
    }
    const std::uint32_t index = places_.near[next->to];
    if (index == places::nobody) return;
    if (next->to == me_) {
      put_aside(next->bytes);
    } else if (!undelivered_[index].empty() || !near_[index]->packets.push(next->bytes)) {
      undelivered_[index].emplace_back(next->bytes.begin(), next->bytes.end());
      ++undelivered_count_;
    }
  }
}

/// Keep a packet for this PE until it is released.
void host_relay::put_aside(std::span<const std::byte> packet) {
  auto slot = static_cast<std::uint32_t>(copies_.size());
  if (free_copies_.empty()) {
    copies_.emplace_back(new_block(plan_.packet_bytes));
  } else {
    slot = free_copies_.back();
    free_copies_.pop_back();
  }
  std::byte* const copy = copies_[slot].get();
  std::memcpy(copy, packet.data(), packet.size());
  ready_.push_back({copy, static_cast<std::uint32_t>(packet.size()), slot});
}

void host_relay::release(const fabric_arrival& which) { free_copies_.push_back(which.slot); }

bool host_relay::busy() const {
  return unsent_count_.load(std::memory_order_relaxed) != 0 || undelivered_count_ != 0 ||
         filled_->load(std::memory_order_relaxed) != 0 || fabric_.busy();
}

}  // namespace lamellar::lamellae
