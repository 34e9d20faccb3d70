// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <thread>

// Names the PE that has its turn and does not come back: while it lives a thread looks now and
// then whether the lamella is called at all. The only real time in a simulated job; it changes
// nothing in the run.
namespace lamellar::lamellae::sim {

class watchdog {
 public:
  /// `calls` counts calls of the lamella, `running` is the PE whose turn it is; both outlive
  /// this object. 0 seconds: do not watch.
  watchdog(double seconds, std::uint64_t seed, const std::atomic<std::uint64_t>& calls,
           const std::atomic<std::uint32_t>& running) {
    if (seconds == 0) return;
    thread_ = std::thread{[=, this, &calls, &running] {
      std::uint64_t before = calls.load(std::memory_order_relaxed);
      std::unique_lock lock{mutex_};
      while (!ended_.wait_for(lock, std::chrono::duration<double>(seconds),
                              [this] { return has_ended_; })) {
        const std::uint64_t now = calls.load(std::memory_order_relaxed);
        if (now == before) {
          fmt::print(stderr,
                     "lamellar: PE {} has not called the library for {} s and keeps the others "
                     "from going on, which take turns with it (simulated job, seed {}); it "
                     "computes, or waits for memory in a loop without world.poll()\n",
                     running.load(std::memory_order_relaxed), seconds, seed);
          ended_.wait(lock, [this] { return has_ended_; });  // once is enough
          return;
        }
        before = now;
      }
    }};
  }
  ~watchdog() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock{mutex_};
      has_ended_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

 private:
  std::mutex mutex_;  // guards has_ended_
  bool has_ended_ = false;
  std::condition_variable ended_;
  std::thread thread_;
};

}  // namespace lamellar::lamellae::sim
