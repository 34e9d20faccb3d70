// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <signal.h>

#include <atomic>
#include <mutex>

// SIGUSR1 asks a simulated job what its PEs do. The signal only leaves a note: what PEs do can
// be told when one of them hands its turn on, and nowhere else.
//
// Thread-safety: any thread.
namespace lamellar::lamellae::sim {

class report_request {
 public:
  /// From now on SIGUSR1 asks, unless the program has a use of its own for it.
  static void listen() {
    static std::once_flag once;
    std::call_once(once, [] {
      struct sigaction now {};
      if (::sigaction(SIGUSR1, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
        struct sigaction mine {};
        mine.sa_handler = [](int) { wanted.store(true, std::memory_order_relaxed); };
        mine.sa_flags = SA_RESTART;
        ::sigaction(SIGUSR1, &mine, nullptr);
      }
    });
  }

  /// Whether somebody has asked since the last call.
  static bool taken() {
    return wanted.load(std::memory_order_relaxed) && wanted.exchange(false);
  }

 private:
  // Set by the signal's handler, cleared by whoever writes the report. Nothing else hangs on
  // it.
  static inline std::atomic<bool> wanted{false};
};

}  // namespace lamellar::lamellae::sim
