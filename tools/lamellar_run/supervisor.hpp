// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "job_memory.hpp"
#include "labels.hpp"

// Watches the processes of a job until the last has ended: passes signals on, and ends all when
// one is lost. Sleeps in poll() throughout. One thread.
namespace lamellar::run {

/// The signals that the launcher handles, taken out of their normal course. To be made before
/// the first child, so that none is missed.
class taken_signals {
 public:
  taken_signals();
  ~taken_signals();
  taken_signals(const taken_signals&) = delete;
  taken_signals& operator=(const taken_signals&) = delete;

  int fd() const { return fd_; }
  const sigset_t& mask_before() const { return before_; }

 private:
  sigset_t before_{};
  int fd_ = -1;
};

class supervisor {
 public:
  /// `stopped_seconds`: how long a PE may be stopped before it counts as lost; 0: for ever.
  /// `others_notice`: the PEs notice by themselves that one was killed, and say what they did.
  supervisor(std::vector<pid_t> children, const lamellae::job_memory& memory,
             const taken_signals& signals, labels* labelled, double stopped_seconds,
             bool others_notice);

  /// Wait for all. Returns the code with which the launcher ends.
  int run();

 private:
  using clock = std::chrono::steady_clock;

  struct child {
    pid_t process;
    bool has_ended = false;
    std::optional<clock::time_point> stopped_since;
  };

  void read_signals();
  void collect();
  void judge_end(std::uint32_t pe, int how, int status);
  void judge_stopped(clock::time_point now);
  void fail(int code, const std::string& text);
  void end_all();
  void send_all(int signal);
  bool anybody_joined() const;
  int milliseconds_to_wait(clock::time_point now) const;

  std::vector<child> children_;
  std::size_t running_;
  const lamellae::job_memory& memory_;
  const taken_signals& signals_;
  labels* labelled_;
  bool others_notice_;
  std::optional<clock::duration> longest_stop_;

  int result_ = 0;
  bool is_ending_ = false;
  std::optional<clock::time_point> end_at_;  ///< one was killed: the others may speak till then
  std::optional<clock::time_point> kill_at_;  ///< while ending: when patience is over
  int interrupted_by_ = 0;                    ///< the last ending signal that came to us
};

}  // namespace lamellar::run
