// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

// Updates of memory that this thread may write to, put off until the processor has fetched what
// they touch. A loop of single updates of a large table waits for memory each time; put off by
// a few dozen, it waits for as many at once. They count as buffered: whatever ships a thread's
// buffers applies them.
//
// Thread-safety: belongs to one thread.
namespace lamellar::detail {

class deferred_updates {
 public:
  static constexpr std::uint32_t most = 32;

  /// Call Apply{}(at, operand) later. Requires: Apply is noexcept and has no state.
  template <class Apply>
  void add(std::byte* at, std::uint64_t operand) {
    __builtin_prefetch(at, 1);
    if (drain_ != &drain_as<Apply>) [[unlikely]] {
      drain();
      drain_ = &drain_as<Apply>;
    }
    const std::uint32_t place = count_ % most;
    if (count_ >= most) [[likely]] {
      Apply{}(at_[place], operand_[place]);
    }
    at_[place] = at;
    operand_[place] = operand;
    // Stays between most and 2 * most - 1 once the ring is full.
    count_ = count_ == 2 * most - 1 ? most : count_ + 1;
  }

  /// Apply all of them.
  void drain() {
    if (count_ != 0) {
      drain_(*this);
    }
  }

 private:
  template <class Apply>
  static void drain_as(deferred_updates& all) {
    const std::uint32_t held = all.count_ < most ? all.count_ : most;
    const std::uint32_t first = all.count_ < most ? 0 : all.count_ % most;
    all.count_ = 0;
    for (std::uint32_t k = 0; k < held; ++k) {
      const std::uint32_t place = (first + k) % most;
      Apply{}(all.at_[place], all.operand_[place]);
    }
  }

  std::uint32_t count_ = 0;
  void (*drain_)(deferred_updates&) = nullptr;
  std::byte* at_[most];
  std::uint64_t operand_[most];
};

}  // namespace lamellar::detail
