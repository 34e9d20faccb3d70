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

class spin_lock {
 public:
  void lock() {
    for (unsigned tries = 0; !try_lock(); ++tries) {
      if (tries % 64 == 63) {
        std::this_thread::yield();  // the holder may have lost its core
      } else {
        cpu_relax();
      }
    }
  }
  bool try_lock() {
    return !held_.load(std::memory_order_relaxed) &&
           !held_.exchange(true, std::memory_order_acquire);
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};  // any thread; unlock's release pairs with try_lock's acquire
};

}  // namespace lamellar::detail
