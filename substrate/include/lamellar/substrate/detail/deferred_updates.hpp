// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/prefetch.hpp>

// Updates of memory that this thread may write to, put off until the processor has fetched what
// they touch. A loop of single updates of a large table waits for memory each time; put off by
// a few dozen, it waits for as many at once. They are applied many in a row: an atomic
// instruction waits for all that comes before it, so nothing else should stand between them.
//
// Updates that are put off count as buffered: whatever ships a thread's buffers applies them.
//
// Thread-safety: belongs to one thread.
namespace lamellar::detail {

class deferred_updates {
 public:
  /// Call Apply{}(at, operand) later. Requires: Apply is noexcept and has no state.
  template <class Apply>
  void add(std::byte* at, std::uint64_t operand) {
    prefetch_for_write(at);
    if (drain_ != &drain_as<Apply>) [[unlikely]] {
      drain();
      drain_ = &drain_as<Apply>;
    }
    at_[next_] = at;
    operand_[next_] = operand;
    ++next_;
    if (next_ % half == 0) [[unlikely]] {
      turn<Apply>();
    }
  }

  /// Apply all of them.
  void drain() {
    if (drain_ != nullptr) {
      drain_(*this);
    }
  }

 private:
  static constexpr std::uint32_t half = 16;

  // One half fills up while the processor fetches what the other one holds.
  template <class Apply>
  void turn() {
    next_ %= 2 * half;
    if (other_is_full_) {
      apply<Apply>(next_, next_ + half);
    }
    other_is_full_ = true;
  }
  template <class Apply>
  void apply(std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t k = begin; k < end; ++k) {
      Apply{}(at_[k], operand_[k]);
    }
  }
  template <class Apply>
  static void drain_as(deferred_updates& all) {
    const std::uint32_t filled = all.next_ / half * half;  // begin of the half that fills up
    const std::uint32_t other = half - filled;
    if (all.other_is_full_) {
      all.apply<Apply>(other, other + half);
    }
    all.apply<Apply>(filled, all.next_);
    all.next_ = 0;
    all.other_is_full_ = false;
    all.drain_ = nullptr;
  }

  void (*drain_)(deferred_updates&) = nullptr;  // nullptr: there are none
  std::uint32_t next_ = 0;
  bool other_is_full_ = false;
  std::byte* at_[2 * half];
  std::uint64_t operand_[2 * half];
};

}  // namespace lamellar::detail
