// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <lamellar/lamellae/settings.hpp>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "chance.hpp"
#include "contexts.hpp"
#include "trace.hpp"

// Whose turn it is. Every PE has a virtual clock, which its own work moves on, and the PE whose
// clock is furthest behind runs next; one that waits jumps to the next thing that will happen
// to it. What is left to chance is time alone: how long a PE is held up, here, and how long a
// buffer takes, in network.hpp. All orders of events follow from these.
//
// Nothing can happen any more when all PEs wait and nothing is under way. Since a PE might also
// wait for something that the lamella knows nothing of (memory that another one writes), each
// is woken a few times more before the job is declared stuck.
//
// Thread-safety: the PE whose turn it is. The watchdog's thread reads the atomics.
namespace lamellar::lamellae::sim {

class scheduler {
 public:
  scheduler(const settings& s, std::uint32_t pes);
  ~scheduler();

  /// Run `as_pe(k)` as each PE, in turns, until all have ended. May be repeated.
  void run(const std::function<void(std::uint32_t)>& as_pe);

  // ---- for the PE whose turn it is, which is always `me` ----
  /// `me` calls the lamella.
  void called() { calls_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t now(std::uint32_t me) const { return pes_[me].clock; }
  /// `me` has worked so long.
  void work(std::uint32_t me, std::uint64_t ns) { pes_[me].clock += ns; }
  /// Let those go first whose clocks are behind.
  void give_way(std::uint32_t me);
  /// `me` has got no for an answer, which took it some time. If it hears nothing else, wait.
  void refused(std::uint32_t me);
  /// Wait for what comes next to `me`. `is_idle`: it says itself that it has nothing to do.
  void wait(std::uint32_t me, bool is_idle);
  /// Something happens to `pe` at `time`.
  void expect(std::uint32_t pe, std::uint64_t time) { pes_[pe].events.push(time); }
  /// `me` has done something that another PE can see, or has got what it asked for.
  void acted(std::uint32_t me) {
    pes_[me].refusals = 0;
    pes_[me].has_acted = true;
    quiet_turns_ = 0;
  }
  /// `me` has waited for longer than LAMELLAR_HANG_SECONDS. Ends the job.
  [[noreturn]] void overdue(std::uint32_t me);
  void describe_waiting(std::uint32_t me, std::function<std::string()> what) {
    pes_[me].describe = std::move(what);
  }

  void flush_trace() { trace_.flush(); }
  chance& dice() { return dice_; }
  bool is_left_to_chance() const { return seed_ != 0; }
  std::uint64_t steps() const { return steps_; }
  template <class... Args>
  void log(std::uint32_t pe, fmt::format_string<Args...> text, Args&&... args) {
    trace_.write(steps_, pes_[pe].clock, pe, text, std::forward<Args>(args)...);
  }

 private:
  enum class state : std::uint8_t { running, polling, idle, ended, lost };
  struct simulated {
    std::uint64_t clock = 0;
    state is = state::running;
    std::uint64_t asleep_since = 0;
    std::uint32_t refusals = 0;  // in a row
    // When something will happen to it, soonest first; and whether something has since it last
    // woke up, which it may have looked for too early.
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> events;
    bool has_missed = false;
    bool has_acted = false;  // since it last said that it waits
    std::function<std::string()> describe;
  };

  static bool is_asleep(const simulated& pe) {
    return pe.is == state::polling || pe.is == state::idle;
  }
  static bool is_gone(const simulated& pe) {
    return pe.is == state::ended || pe.is == state::lost;
  }
  std::uint32_t choose();
  /// When it goes on, as far as is known now.
  static std::uint64_t next_time(const simulated& one);
  /// Counts a turn while nothing is under way; ends the job when there were too many. Returns
  /// whether all say that they wait.
  bool are_all_idle_in_vain();
  void wake(std::uint32_t pe, std::uint64_t time);
  void pass_turn(std::uint32_t me);
  void lose_when_due();
  void hold_up(std::uint32_t me);
  [[noreturn]] void report_stuck(const std::string& why);
  [[noreturn]] void report_loss();
  /// What all PEs do, if somebody has asked.
  void report_if_asked();
  std::string waiting_text() const;

  std::vector<simulated> pes_;
  chance dice_;
  trace trace_;
  std::uint64_t seed_;
  std::uint64_t steps_ = 0;
  std::uint32_t last_looked_ = 0;
  std::uint64_t quiet_turns_ = 0;    // in a row, with nothing under way
  bool is_reporting_ = false;        // what PEs ask now takes no time and moves no turn
  std::uint32_t held_up_times_ = 0;  // how often PEs are held up in this run, out of 256
  std::uint32_t held_up_log_ = 0;    // and for how long at most

  std::optional<std::uint32_t> kill_pe_;
  std::uint64_t kill_step_;
  std::uint64_t loss_known_at_ = 0;  // virtual time
  double peer_timeout_s_;
  std::unique_ptr<contexts> contexts_;  // while run() runs

  double silence_s_;
  std::atomic<std::uint64_t> calls_{0};    // of the lamella; the watchdog reads
  std::atomic<std::uint32_t> running_{0};  // whose turn it is; the watchdog reads
};

}  // namespace lamellar::lamellae::sim
