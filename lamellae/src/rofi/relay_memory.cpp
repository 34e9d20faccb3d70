// SPDX-License-Identifier: BSD-3-Clause
#include "relay_memory.hpp"

#include <cstring>
#include <mutex>

namespace lamellar::lamellae {

bool inbox::push(std::span<const std::byte> packet) {
  const std::size_t needed = sizeof(length) + packet.size();
  const std::lock_guard alone{pushing_};
  std::uint64_t begin = pushed_.load(std::memory_order_relaxed);
  const std::uint64_t room = capacity - (begin - popped_.load(std::memory_order_acquire));
  const std::uint64_t to_end = capacity - begin % capacity;
  if (to_end < needed) {
    if (room < to_end + needed) return false;
    length_at(begin).bytes = padding;
    begin += to_end;
  } else if (room < needed) {
    return false;
  }
  length_at(begin).bytes = packet.size();
  std::memcpy(at(begin) + sizeof(length), packet.data(), packet.size());
  pushed_.store(begin + needed, std::memory_order_release);
  return true;
}

std::span<const std::byte> inbox::front() {
  std::uint64_t begin = popped_.load(std::memory_order_relaxed);
  if (begin == pushed_.load(std::memory_order_acquire)) return {};
  if (length_at(begin).bytes == padding) {
    begin += capacity - begin % capacity;
    popped_.store(begin, std::memory_order_release);
  }
  return {at(begin) + sizeof(length), length_at(begin).bytes};
}

void inbox::drop_front() {
  const std::uint64_t begin = popped_.load(std::memory_order_relaxed);
  popped_.store(begin + sizeof(length) + length_at(begin).bytes, std::memory_order_release);
}

}  // namespace lamellar::lamellae
