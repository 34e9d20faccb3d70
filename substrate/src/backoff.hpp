// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <thread>

// How a thread waits when a poll finds nothing: it spins, then lets others run, then sleeps for
// short and growing times. Spinning answers in a tenth of a microsecond, a wake-up takes tens;
// with more PEs than cores a spinning PE only keeps the others from working. Where PEs take
// turns it gives its turn away.
namespace lamellar::detail {

class backoff {
 public:
  explicit backoff(lamellae::lamella& over)
      : over_{over},
        oversubscribed_{over.able().oversubscribed},
        in_turns_{over.able().in_turns} {}

  void reset() { polls_ = 0; }

  void pause() {
    if (in_turns_) {
      over_.idle();
      return;
    }
    ++polls_;
    if (polls_ < (oversubscribed_ ? 12u : 2000u)) {
      // A poll takes long enough by itself; a pause instruction would double the time to
      // answer.
    } else if (polls_ < 20000u) {
      std::this_thread::yield();
    } else {
      const std::uint32_t longer = (polls_ - 20000u) / 64u;
      std::this_thread::sleep_for(
          std::chrono::microseconds(longer > 7 ? 400 : 50 + 50 * longer));
    }
  }

 private:
  lamellae::lamella& over_;
  bool oversubscribed_;
  bool in_turns_;
  std::uint32_t polls_ = 0;
};

}  // namespace lamellar::detail
