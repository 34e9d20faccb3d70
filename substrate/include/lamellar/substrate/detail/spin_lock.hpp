// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <thread>

// A lock for a handful of instructions. No handler, post or suspension happens under one.
namespace lamellar::detail {

/// Tell the core that this is a spin.
inline void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

/// Does nothing at all where it was told that one thread is all there is.
class spin_lock {
 public:
  spin_lock() = default;
  explicit spin_lock(bool needed) : needed_{needed} {}

  void lock() {
    if (!needed_) {
      return;
    }
    for (unsigned tries = 0; !take(); ++tries) {
      if (tries % 64 == 63) {
        std::this_thread::yield();  // the holder may have lost its core
      } else {
        cpu_relax();
      }
    }
  }
  bool try_lock() { return !needed_ || take(); }
  void unlock() {
    if (needed_) {
      held_.store(false, std::memory_order_release);
    }
  }

 private:
  bool take() {
    return !held_.load(std::memory_order_relaxed) &&
           !held_.exchange(true, std::memory_order_acquire);
  }
  bool needed_ = true;
  std::atomic<bool> held_{false};  // any thread; unlock's release pairs with try_lock's acquire
};

}  // namespace lamellar::detail
