// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/detail/engine.hpp>
#include <string>
#include <thread>

// Says, once for the whole job, what each PE waits for: when one has waited for
// LAMELLAR_HANG_SECONDS, and whenever a process of the job gets SIGUSR1.
//
// One thread per process sleeps until it is asked. It asks all PEs; each that waits writes on
// its page what for, and the thread puts equal ones together. A PE that computes writes
// nothing, which says as much.
//
// Thread-safety: ask() any thread, any PE of the process.
namespace lamellar::detail {

class doctor {
 public:
  /// `at`: a PE of this process; it outlives this.
  explicit doctor(engine& at);
  ~doctor();
  doctor(const doctor&) = delete;
  doctor& operator=(const doctor&) = delete;

  /// Have a report made. `because`: one line, without a newline.
  static void ask(const std::string& because);

 private:
  void serve();
  /// `insist`: also if another one has just been made.
  void report(const std::string& because, bool insist);

  engine& at_;
  std::thread thread_;
};

}  // namespace lamellar::detail
