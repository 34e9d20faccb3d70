// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/prefetch.hpp>

// Updates of memory that this thread may write to, put off until there are enough of them to
// fetch what one touches while others are done. A loop of single updates of a large table waits
// for memory each time; gathered, it waits for many at once. And an atomic instruction waits
// for all that comes before it: what finds the place of an update should not stand between two.
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
    if (drain_ != &drain_as<Apply>) [[unlikely]] {
      drain();
      drain_ = &drain_as<Apply>;
    }
    at_[count_] = at;
    operand_[count_] = operand;
    if (++count_ == most) [[unlikely]] {
      apply_most<Apply>();
    }
  }

  /// Apply all of them.
  void drain() {
    if (drain_ != nullptr) {
      drain_(*this);
    }
  }

 private:
  static constexpr std::uint32_t most = 256;
  static constexpr std::uint32_t ahead = 16;

  /// All but the last few, which are fetched and stay for the next time.
  template <class Apply>
  void apply_most() {
    apply<Apply>();
    std::copy(at_ + most - ahead, at_ + most, at_);
    std::copy(operand_ + most - ahead, operand_ + most, operand_);
    count_ = fetched_ = ahead;
  }
  template <class Apply>
  static void drain_as(deferred_updates& all) {
    const std::uint32_t done = all.apply<Apply>();
    for (std::uint32_t k = done; k < all.count_; ++k) {
      Apply{}(all.at_[k], all.operand_[k]);
    }
    all.count_ = all.fetched_ = 0;
    all.drain_ = nullptr;
  }
  /// Apply as many as have `ahead` others behind them; how many that is.
  template <class Apply>
  std::uint32_t apply() {
    for (std::uint32_t k = fetched_; k < std::min(ahead, count_); ++k) {
      prefetch_for_write(at_[k]);
    }
    std::uint32_t k = 0;
    for (; k + ahead < count_; ++k) {
      prefetch_for_write(at_[k + ahead]);
      Apply{}(at_[k], operand_[k]);
    }
    return k;
  }

  void (*drain_)(deferred_updates&) = nullptr;  // nullptr: there are none
  std::uint32_t count_ = 0;
  std::uint32_t fetched_ = 0;  // of them, the first
  std::byte* at_[most];
  std::uint64_t operand_[most];
};

}  // namespace lamellar::detail
