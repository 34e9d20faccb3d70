// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>

// The shared memory of one job on one host: every channel, line, wave cell and counter at an
// offset that each PE computes alike. Valid when zero-filled, committed page by page on first
// touch, so that a pair of PEs costs memory only once it talks. No pointer is stored in it.
//
// Order in memory: wave cells, exchange pages, bulletins, delivery counters, lines, channels.
namespace lamellar::lamellae {

/// One buffer's header, in the same cache line as the buffer's first bytes.
struct slot_header {
  std::atomic<std::uint32_t> sequence;  ///< sender writes, release; receiver polls, acquire
  std::uint32_t bytes;
  std::uint16_t flags;
  std::uint16_t spare[3];
};
static_assert(sizeof(slot_header) == 16);

/// What a receiver tells the sender of a pair's buffers.
struct alignas(cache_line) delivery_counters {
  std::atomic<std::uint64_t>
      freed[traffic_classes];          ///< receiver writes; sender reads (credit)
  std::atomic<std::uint64_t> failed;   ///< receiver writes, before `handled`; sender reads
  std::atomic<std::uint64_t> handled;  ///< receiver writes, release; sender reads, acquire
};

/// One PE's contribution to a wave; two of them take turns, since a peer may be one wave ahead.
struct alignas(cache_line) wave_cell {
  std::atomic<std::uint64_t> round;  ///< owner writes last, release; peers read first, acquire
  std::uint64_t sums[4];
  std::uint64_t tag;
};

/// A PE's page for exchanging blobs at start-up, in chunks.
struct exchange_page {
  static constexpr std::size_t chunk = 4096 - 2 * sizeof(std::uint64_t);
  std::uint64_t total;
  std::uint64_t bytes;
  std::byte data[chunk];
};
static_assert(sizeof(exchange_page) == 4096);

/// Where everything lies.
class arena_layout {
 public:
  /// Plan an arena for `pes` PEs. Shrinks first the depth of a channel (to 4), then the buffer
  /// (to 2 KiB) until all channels together fit into `budget_bytes`.
  ///
  /// Throws: config_error when they do not; it names LAMELLAR_JOB_BUDGET.
  static arena_layout plan(std::uint32_t pes, std::size_t buffer_bytes,
                           std::size_t budget_bytes);

  std::uint32_t pes() const { return pes_; }
  std::uint32_t slot_bytes() const { return slot_bytes_; }  ///< a buffer with its header
  std::uint32_t depth() const { return depth_; }            ///< a power of two, 4 to 64
  std::size_t total_bytes() const { return total_; }

  std::size_t wave_offset(std::uint32_t of) const;
  std::size_t exchange_offset(std::uint32_t of) const;
  std::size_t bulletin_offset(std::uint32_t of) const;
  std::size_t counters_offset(std::uint32_t from, std::uint32_t to) const;
  std::size_t line_offset(std::uint32_t from, std::uint32_t to) const;
  std::size_t channel_offset(std::uint32_t from, std::uint32_t to, traffic kind) const;

 private:
  std::size_t pair(std::uint32_t from, std::uint32_t to) const {
    return std::size_t{from} * pes_ + to;
  }

  std::uint32_t pes_ = 0;
  std::uint32_t slot_bytes_ = 0;
  std::uint32_t depth_ = 0;
  std::size_t exchange_ = 0;
  std::size_t bulletins_ = 0;
  std::size_t counters_ = 0;
  std::size_t lines_ = 0;
  std::size_t channels_ = 0;
  std::size_t total_ = 0;
};

}  // namespace lamellar::lamellae
