// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/arena.hpp>
#include <lamellar/lamellae/lamella.hpp>
#include <vector>

// Buffers, lines and waves over an arena that all PEs of the job can load and store. `local`
// and `shmem` differ only in where the arena and the segments come from.
//
// A channel is a ring of slots. The sender publishes a slot by writing its sequence number; the
// receiver polls that number, which lies in the line that carries the message, and gives credit
// back through the pair's counters. A sender never reads a line that its receiver polls.
namespace lamellar::lamellae {

class mapped_lamella : public lamella {
 public:
  std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) override;

  out_buffer acquire(std::uint32_t peer, traffic kind) override;
  void post(std::uint32_t peer, traffic kind, std::uint32_t bytes,
            std::uint16_t flags) override;
  std::uint32_t poll(std::span<in_buffer> into, bool bodies) override;
  void release(const in_buffer& buffer, bool handled, bool failed) override;
  void settle(std::uint32_t peer, bool failed) override;
  delivery delivered(std::uint32_t peer) const override;

  line* request_line(std::uint32_t peer) override {
    return able_.lines ? out_[peer].request : nullptr;
  }
  line* serving_line(std::uint32_t peer) override {
    return able_.lines ? in_[peer].request : nullptr;
  }

  bulletin* page_of(std::uint32_t pe) override {
    return reinterpret_cast<bulletin*>(base_ + layout_.bulletin_offset(pe));
  }

  void begin_wave(const wave& mine) override;
  bool end_wave(wave& result) override;

  std::uint64_t now_ns() const override;

 protected:
  /// `base`: the arena, of at least `layout.total_bytes()`, shared by all PEs, zero when the
  /// job opened; it outlives this object.
  mapped_lamella(std::uint32_t me, std::byte* base, const arena_layout& layout);

 private:
  // What this PE keeps of a channel that it fills. Touched by the thread that fills it.
  struct out_channel {
    std::byte* ring = nullptr;
    std::uint64_t posted = 0;
    std::uint64_t freed =
        0;  // last known credit; the shared counter is read when this runs out
  };
  struct alignas(cache_line) out_peer {
    out_channel channels[traffic_classes];
    const delivery_counters* counters = nullptr;
    line* request = nullptr;
  };
  // What this PE keeps of a channel that it empties. Touched by the polling thread.
  struct in_channel {
    const slot_header* next = nullptr;  // the slot that is filled next
    std::uint32_t expected = 1;         // and the sequence number that says so
    std::byte* ring = nullptr;
    std::uint64_t taken = 0;
    std::uint64_t freed = 0;
    std::uint64_t done = 0;  // bit per slot: released, but behind one that is not
  };
  struct alignas(cache_line) in_peer {
    in_channel channels[traffic_classes];
    delivery_counters* counters = nullptr;
    line* request = nullptr;
  };

  bool take(std::uint32_t peer, traffic kind, in_buffer& into);

  std::byte* base_;
  arena_layout layout_;
  std::uint32_t mask_;
  std::vector<out_peer> out_;
  std::vector<in_peer> in_;
  std::uint32_t next_peer_ = 0;  // where poll starts, so that no sender is favoured

  std::uint64_t round_ = 0;
  wave collected_;
  std::uint32_t collected_from_ = 0;
};

}  // namespace lamellar::lamellae
