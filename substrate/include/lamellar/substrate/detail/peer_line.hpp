// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/detail/reply_slot.hpp>

// What a PE keeps of the lines to and from one peer, and what lies on them.
//
// Thread-safety: calls: the main thread; serving: the thread that polls.
namespace lamellar::detail {

/// A request's first bytes; its arguments follow.
struct line_front {
  std::uint16_t handler;
  std::uint16_t bytes;
  std::uint32_t object;
  ticket answer;
};

inline constexpr std::size_t line_argument_bytes =
    sizeof(lamellae::line::half::payload) - sizeof(line_front);

inline std::byte* line_arguments(lamellae::line& of) {
  return of.request.payload + sizeof(line_front);
}

/// A request's state is its number; its answer's is twice that, plus one if the answer comes by
/// a buffer.
struct peer_line {
  lamellae::line* out = nullptr;  // nullptr: there is none
  lamellae::line* in = nullptr;
  reply_slot* call = nullptr;  // that the request out there is for
  std::uint32_t asked = 0;     // requests made
  // Requests begun with. The thread that polls writes; those that wait read it as a hint.
  std::atomic<std::uint32_t> served{0};

  bool is_asked() const {
    return in != nullptr && in->request.state.load(std::memory_order_acquire) !=
                                served.load(std::memory_order_relaxed);
  }
  bool is_answered() const {
    return (out->answer.state.load(std::memory_order_acquire) ^ 2 * asked) <= 1;
  }
};

}  // namespace lamellar::detail
