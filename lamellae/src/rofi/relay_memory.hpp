// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sched.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <span>

// What the PEs of a host share to relay messages: where they gather packets for another host,
// and where each finds those that came for it through another PE. All zero is empty.
//
// Thread-safety: any PE and thread of the host, where nothing else is said.
namespace lamellar::lamellae {

class shared_lock {
 public:
  void lock() {
    for (std::uint32_t tries = 1; !try_lock(); ++tries) {
      // Whoever holds it may have lost its core.
      if (tries % 64 == 0) sched_yield();
    }
  }
  bool try_lock() {
    return is_held_.load(std::memory_order_relaxed) == 0 &&
           is_held_.exchange(1, std::memory_order_acquire) == 0;
  }
  void unlock() { is_held_.store(0, std::memory_order_release); }

 private:
  std::atomic<std::uint32_t> is_held_;
};

/// Packets for the PEs of one other host. Its bytes follow it in memory.
struct alignas(cache_line) outbox {
  shared_lock lock;                  // guards the rest
  std::atomic<std::uint32_t> bytes;  // gathered so far; anybody reads it
  std::uint64_t shipped;             // messages; the number of the next one

  std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
};

/// Packets for one PE. A ring: pushed by all, popped by that PE alone, one thread at a time.
class alignas(cache_line) inbox {
 public:
  static constexpr std::size_t capacity = std::size_t{256} << 10;

  /// Append a packet of a multiple of 16 bytes; false: no room now.
  bool push(std::span<const std::byte> packet);
  /// The oldest packet, or nothing. It stays until it is dropped.
  std::span<const std::byte> front();
  void drop_front();

 private:
  static constexpr std::uint64_t padding =
      ~std::uint64_t{0};  // as a length: go on at the begin
  struct alignas(16) length {
    std::uint64_t bytes;
    std::uint64_t unused;
  };
  std::byte* at(std::uint64_t position) { return bytes_.data() + position % capacity; }
  length& length_at(std::uint64_t position) { return *reinterpret_cast<length*>(at(position)); }

  alignas(cache_line) shared_lock pushing_;
  std::atomic<std::uint64_t> pushed_;  // bytes since the begin; whoever pushes
  alignas(cache_line) std::atomic<std::uint64_t> popped_;  // the owner
  alignas(cache_line) std::array<std::byte, capacity> bytes_;
};

}  // namespace lamellar::lamellae
