// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "endpoint.hpp"
#include "gate.hpp"
#include "operation.hpp"

// Memory for messages on their way out, in slabs that are registered where the provider wants
// that. Grows as needed, up to a limit, and never shrinks.
//
// Thread-safety: take and give_back: any thread.
namespace lamellar::lamellae {

/// Stands right before the bytes of its message.
struct alignas(64) send_item : operation {
  send_item() : operation{kind::message} {}
  send_item* next = nullptr;  ///< the free list's, or the waiting list's of its peer
  void* descriptor = nullptr;
  std::uint64_t number = 0;  ///< as the receiver sees it
  std::uint32_t peer = 0;
  std::uint32_t bytes = 0;

  std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
  static send_item* of(std::byte* data) { return reinterpret_cast<send_item*>(data) - 1; }
};

class send_buffers {
 public:
  /// Throws: out_of_memory.
  send_buffers(endpoint& net, std::uint32_t message_bytes, std::size_t most);
  ~send_buffers();
  send_buffers(const send_buffers&) = delete;
  send_buffers& operator=(const send_buffers&) = delete;

  /// nullptr: all are in use and no more can be had.
  send_item* take();
  void give_back(send_item* item);
  /// Where registrations must end before the endpoint does.
  void unregister() noexcept;

 private:
  struct slab {
    std::unique_ptr<std::byte, void (*)(std::byte*)> memory;
    registration registered;
  };
  void grow();

  endpoint& net_;
  const std::size_t stride_;
  const std::size_t most_;
  gate gate_;  // guards what follows
  std::vector<slab> slabs_;
  std::size_t made_ = 0;
  send_item* free_ = nullptr;
};

}  // namespace lamellar::lamellae
