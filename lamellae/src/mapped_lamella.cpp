// SPDX-License-Identifier: BSD-3-Clause
#include "mapped_lamella.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

namespace lamellar::lamellae {

namespace {

slot_header* header_of(std::byte* slot) { return reinterpret_cast<slot_header*>(slot); }

}  // namespace

mapped_lamella::mapped_lamella(std::uint32_t me, std::byte* base, const arena_layout& layout)
    : lamella{me, layout.pes()},
      base_{base},
      layout_{layout},
      mask_{layout.depth() - 1},
      out_(layout.pes()),
      in_(layout.pes()) {
  able_.buffer_bytes = static_cast<std::uint32_t>(layout.slot_bytes() - sizeof(slot_header));
  able_.channel_depth = layout.depth();
  able_.lines = true;
  for (std::uint32_t peer = 0; peer < size(); ++peer) {
    out_peer& to = out_[peer];
    in_peer& from = in_[peer];
    for (std::uint32_t kind = 0; kind < traffic_classes; ++kind) {
      to.channels[kind].ring =
          base_ + layout_.channel_offset(me, peer, static_cast<traffic>(kind));
      from.channels[kind].ring =
          base_ + layout_.channel_offset(peer, me, static_cast<traffic>(kind));
      from.channels[kind].next = header_of(from.channels[kind].ring);
    }
    to.counters =
        reinterpret_cast<delivery_counters*>(base_ + layout_.counters_offset(me, peer));
    from.counters =
        reinterpret_cast<delivery_counters*>(base_ + layout_.counters_offset(peer, me));
    to.request = reinterpret_cast<line*>(base_ + layout_.line_offset(me, peer));
    from.request = reinterpret_cast<line*>(base_ + layout_.line_offset(peer, me));
  }
}

out_buffer mapped_lamella::acquire(std::uint32_t peer, traffic kind) {
  out_peer& to = out_[peer];
  out_channel& channel = to.channels[static_cast<std::size_t>(kind)];
  if (channel.posted - channel.freed > mask_) {
    channel.freed =
        to.counters->freed[static_cast<std::size_t>(kind)].load(std::memory_order_acquire);
    if (channel.posted - channel.freed > mask_) {
      return {};
    }
  }
  std::byte* slot = channel.ring + (channel.posted & mask_) * layout_.slot_bytes();
  return {slot + sizeof(slot_header), able_.buffer_bytes};
}

void mapped_lamella::post(std::uint32_t peer, traffic kind, std::uint32_t bytes,
                          std::uint16_t flags) {
  out_channel& channel = out_[peer].channels[static_cast<std::size_t>(kind)];
  slot_header* header =
      header_of(channel.ring + (channel.posted & mask_) * layout_.slot_bytes());
  ++channel.posted;
  header->bytes = bytes;
  header->flags = flags;
  header->sequence.store(static_cast<std::uint32_t>(channel.posted), std::memory_order_release);
}

bool mapped_lamella::take(std::uint32_t peer, traffic kind, in_buffer& into) {
  in_channel& channel = in_[peer].channels[static_cast<std::size_t>(kind)];
  const slot_header* header = channel.next;
  if (header->sequence.load(std::memory_order_acquire) != channel.expected) {
    return false;
  }
  into.data = reinterpret_cast<const std::byte*>(header + 1);
  into.bytes = std::min(header->bytes, able_.buffer_bytes);
  into.from = peer;
  into.slot = static_cast<std::uint32_t>(channel.taken) & mask_;
  into.flags = header->flags;
  into.kind = kind;
  ++channel.taken;
  ++channel.expected;
  channel.next = header_of(channel.ring + (channel.taken & mask_) * layout_.slot_bytes());
  return true;
}

std::uint32_t mapped_lamella::poll(std::span<in_buffer> into, bool bodies) {
  std::uint32_t found = 0;
  const std::uint32_t pes = size();
  std::uint32_t peer = next_peer_;
  for (std::uint32_t k = 0; k < pes; ++k) {
    if (peer != me()) {
      if (found < into.size() && take(peer, traffic::handler, into[found])) {
        ++found;
      }
      if (bodies && found < into.size() && take(peer, traffic::body, into[found])) {
        ++found;
      }
    }
    peer = peer + 1 == pes ? 0 : peer + 1;
  }
  if (found == into.size()) {
    next_peer_ = next_peer_ + 1 == pes ? 0 : next_peer_ + 1;
  }
  return found;
}

void mapped_lamella::release(const in_buffer& buffer, bool handled, bool failed) {
  in_peer& from = in_[buffer.from];
  in_channel& channel = from.channels[static_cast<std::size_t>(buffer.kind)];
  channel.done |= std::uint64_t{1} << buffer.slot;
  while (channel.freed != channel.taken) {
    const std::uint64_t bit = std::uint64_t{1} << (channel.freed & mask_);
    if ((channel.done & bit) == 0) {
      break;
    }
    channel.done &= ~bit;
    ++channel.freed;
  }
  if (handled) {
    settle(buffer.from, failed);
  }
  from.counters->freed[static_cast<std::size_t>(buffer.kind)].store(channel.freed,
                                                                    std::memory_order_release);
}

void mapped_lamella::settle(std::uint32_t peer, bool failed) {
  delivery_counters& counters = *in_[peer].counters;
  if (failed) {
    counters.failed.store(counters.failed.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
  }
  counters.handled.store(counters.handled.load(std::memory_order_relaxed) + 1,
                         std::memory_order_release);
}

delivery mapped_lamella::delivered(std::uint32_t peer) const {
  const out_peer& to = out_[peer];
  delivery it;
  it.posted = to.channels[0].posted + to.channels[1].posted;
  it.handled = to.counters->handled.load(std::memory_order_acquire);
  it.failed = to.counters->failed.load(std::memory_order_relaxed);
  return it;
}

void mapped_lamella::begin_wave(const wave& mine) {
  ++round_;
  auto* cells = reinterpret_cast<wave_cell*>(base_ + layout_.wave_offset(me()));
  wave_cell& cell = cells[round_ & 1];
  std::copy(std::begin(mine.sums), std::end(mine.sums), std::begin(cell.sums));
  cell.tag = mine.tag;
  cell.round.store(round_, std::memory_order_release);
  collected_ = wave{};
  collected_.tag = mine.tag;
  collected_from_ = 0;
}

bool mapped_lamella::end_wave(wave& result) {
  for (; collected_from_ < size(); ++collected_from_) {
    const auto* cells =
        reinterpret_cast<const wave_cell*>(base_ + layout_.wave_offset(collected_from_));
    const wave_cell& cell = cells[round_ & 1];
    if (cell.round.load(std::memory_order_acquire) != round_) {
      return false;
    }
    for (std::size_t k = 0; k < std::size(cell.sums); ++k) {
      collected_.sums[k] += cell.sums[k];
    }
    if (cell.tag != collected_.tag && collected_.agreed) {
      collected_.agreed = false;
      collected_.disagreeing = collected_from_;
      collected_.other_tag = cell.tag;
    }
  }
  result = collected_;
  return true;
}

std::vector<std::vector<std::byte>> mapped_lamella::exchange(std::span<const std::byte> mine) {
  const auto page_of = [this](std::uint32_t pe) {
    return reinterpret_cast<exchange_page*>(base_ + layout_.exchange_offset(pe));
  };
  const auto sum_over_pes = [this](std::uint64_t value) {
    wave w;
    w.sums[0] = value;
    begin_wave(w);
    while (!end_wave(w)) {
      std::this_thread::yield();
    }
    return w.sums[0];
  };

  std::vector<std::vector<std::byte>> all(size());
  for (std::uint64_t left = 1; left != 0;) {
    const std::size_t now = std::min(mine.size(), exchange_page::chunk);
    exchange_page* page = page_of(me());
    page->bytes = now;
    if (now != 0) {
      std::memcpy(page->data, mine.data(), now);
    }
    mine = mine.subspan(now);
    left = sum_over_pes(mine.size());  // all have written
    for (std::uint32_t pe = 0; pe < size(); ++pe) {
      const exchange_page* theirs = page_of(pe);
      all[pe].insert(all[pe].end(), theirs->data, theirs->data + theirs->bytes);
    }
    sum_over_pes(0);  // all have read
  }
  return all;
}

std::uint64_t mapped_lamella::now_ns() const {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace lamellar::lamellae
