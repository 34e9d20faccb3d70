// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

// Lets one thread at a time through. Whoever polls in a loop lets those that wait go first: the
// mutex alone would hand itself back to it for ever. Also with one thread a PE: the program may
// have threads of its own, and a mutex that nobody holds costs little beside a network.
namespace lamellar::lamellae {

class gate {
 public:
  using pass = std::unique_lock<std::mutex>;

  pass enter() {
    pass mine{mutex_, std::try_to_lock};
    if (!mine.owns_lock()) {
      waiting_.fetch_add(1, std::memory_order_relaxed);
      mine.lock();
      waiting_.fetch_sub(1, std::memory_order_relaxed);
    }
    return mine;
  }

  pass enter_last() {
    for (int k = 0; k < patience && waiting_.load(std::memory_order_relaxed) != 0; ++k) {
      std::this_thread::yield();
    }
    return pass{mutex_};
  }

 private:
  static constexpr int patience = 100;
  std::mutex mutex_;  // guards the provider's objects and what the owner says
  // Threads in enter() that found the gate taken; a hint, read by enter_last().
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace lamellar::lamellae
