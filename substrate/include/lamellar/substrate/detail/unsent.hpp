// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <memory>

// Buffers in private memory: those that the lamella has not taken yet, those that a PE has for
// itself, and large messages of which not all pieces have come.
//
// Thread-safety: each under the lock that its owner names.
namespace lamellar::detail {

/// A buffer that waits for credit.
struct outgoing {
  std::byte* data;
  std::size_t bytes;
  std::size_t sent = 0;       // of a large message
  std::uint64_t message = 0;  // its number; 0: not large
  std::uint16_t flags = 0;    // to be posted with; an offer is posted as a whole
};

/// What waits for one peer.
struct alignas(lamellae::cache_line) peer_box {
  explicit peer_box(bool shared) : lock{shared} {}

  spin_lock lock;  // guards posting to this peer, and the queues
  std::deque<outgoing> waiting[lamellae::traffic_classes];
  std::uint64_t next_message = 1;
};

/// A buffer from this PE to itself.
struct self_buffer {
  std::byte* data;
  std::size_t bytes;
  bool pooled;
};

/// A large message that is being put together.
struct assembly {
  std::unique_ptr<std::byte[]> data;
  std::size_t bytes = 0;
  std::size_t received = 0;
};

}  // namespace lamellar::detail
