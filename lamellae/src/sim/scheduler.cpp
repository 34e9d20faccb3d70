// SPDX-License-Identifier: BSD-3-Clause
#include "scheduler.hpp"

#include <algorithm>
#include <iterator>
#include <lamellar/lamellae/job.hpp>
#include <limits>
#include <map>
#include <utility>

#include "../membership.hpp"
#include "report_request.hpp"
#include "watchdog.hpp"

namespace lamellar::lamellae::sim {
namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t refusal_ns = 20;
constexpr std::uint32_t most_refusals = 64;
// A sleeper looks around so often even if nothing that the lamella knows of has happened to it:
// one that says that it waits, and one that polls in a loop of its own.
constexpr std::uint64_t idle_look_ns = 1'000'000;
constexpr std::uint64_t poll_look_ns = 1'000;
// So many turns in vain before the job is stuck: of each PE if all say that they wait, and in
// all if some poll, who may count to something.
constexpr std::uint64_t turns_in_vain = 8;
constexpr std::uint64_t polls_in_vain = 1'000'000;

constexpr char nothing_under_way[] = "all wait, and nothing is under way";
constexpr int stuck_code = 72;
constexpr int loss_code = 128 + 9;  // as of a process that was killed

/// "0-3, 5"
std::string ranges(const std::vector<std::uint32_t>& pes) {
  std::string text;
  for (std::size_t first = 0; first < pes.size();) {
    std::size_t last = first;
    while (last + 1 < pes.size() && pes[last + 1] == pes[last] + 1) ++last;
    fmt::format_to(std::back_inserter(text), "{}{}", first == 0 ? "" : ", ", pes[first]);
    if (last != first) fmt::format_to(std::back_inserter(text), "-{}", pes[last]);
    first = last + 1;
  }
  return text;
}

}  // namespace

scheduler::scheduler(const settings& s, std::uint32_t pes)
    : pes_(pes),
      dice_{s.sim.seed},
      trace_{s.sim.trace},
      seed_{s.sim.seed},
      kill_pe_{s.sim.kill_pe},
      kill_step_{s.sim.kill_step},
      peer_timeout_s_{s.peer_timeout_s},
      silence_s_{s.sim.silence_s} {
  if (seed_ != 0 && s.sim.delay) {
    // Runs differ in kind, not only in detail: in some no PE is ever held up, in some all are.
    constexpr std::uint32_t times[] = {0, 1, 16, 64};
    held_up_times_ = times[dice_.below(std::size(times))];
    held_up_log_ = static_cast<std::uint32_t>(8 + dice_.below(12));
  }
}

scheduler::~scheduler() = default;

void scheduler::run(const std::function<void(std::uint32_t)>& as_pe) {
  const auto pes = static_cast<std::uint32_t>(pes_.size());
  report_request::listen();
  for (simulated& pe : pes_) {
    pe.is = state::running;
    pe.refusals = 0;
  }
  contexts_ = std::make_unique<contexts>(pes, [&](std::uint32_t me) {
    remember_turns(&running_);  // this thread may be the only one, or one for each PE
    as_pe(me);
    log(me, "has ended");
    pes_[me].is = state::ended;
    pes_[me].describe = nullptr;
    quiet_turns_ = 0;
    if (!std::all_of(pes_.begin(), pes_.end(), is_gone)) return choose();
    if (loss_known_at_ != 0) report_loss();
    return contexts::outside;
  });
  {
    const watchdog watching{silence_s_, seed_, calls_, running_};
    const auto* const before = remember_turns(&running_);
    contexts_->run(choose());
    remember_turns(before);
  }
  contexts_.reset();
  trace_.flush();
}

std::uint32_t scheduler::choose() {
  ++steps_;
  report_if_asked();
  lose_when_due();
  const auto count = static_cast<std::uint32_t>(pes_.size());
  // Whoever is first among equals.
  std::uint32_t pe =
      seed_ == 0 || count == 1 ? 0 : static_cast<std::uint32_t>(dice_.below(count));
  std::uint32_t chosen = count;
  std::uint64_t soonest = never;
  bool something_comes = false;
  for (std::uint32_t k = 0; k < count; ++k, pe = pe + 1 == count ? 0 : pe + 1) {
    const simulated& one = pes_[pe];
    if (is_gone(one)) continue;
    const std::uint64_t time = next_time(one);
    something_comes =
        something_comes || !is_asleep(one) || one.has_missed || !one.events.empty();
    if (time < soonest) {
      soonest = time;
      chosen = pe;
    }
  }
  if (loss_known_at_ != 0 && (!something_comes || soonest >= loss_known_at_)) report_loss();
  if (!something_comes && are_all_idle_in_vain()) {
    do {  // each in turn, since their clocks may lie far apart
      last_looked_ = last_looked_ + 1 == count ? 0 : last_looked_ + 1;
    } while (is_gone(pes_[last_looked_]));
    chosen = last_looked_;
    soonest = next_time(pes_[chosen]);
  }
  wake(chosen, soonest);
  return chosen;
}

std::uint64_t scheduler::next_time(const simulated& one) {
  if (!is_asleep(one) || one.has_missed) return one.clock;
  const std::uint64_t look =
      one.asleep_since + (one.is == state::idle ? idle_look_ns : poll_look_ns);
  return std::max(one.clock, one.events.empty() ? look : std::min(look, one.events.top()));
}

bool scheduler::are_all_idle_in_vain() {
  std::uint64_t live = 0;
  bool all_idle = true;
  for (const simulated& pe : pes_) {
    if (is_gone(pe)) continue;
    ++live;
    all_idle = all_idle && pe.is == state::idle;
  }
  if (++quiet_turns_ > (all_idle ? turns_in_vain * live : polls_in_vain)) {
    report_stuck(nothing_under_way);
  }
  return all_idle;
}

void scheduler::wake(std::uint32_t pe, std::uint64_t time) {
  simulated& one = pes_[pe];
  one.clock = std::max(one.clock, time);
  if (is_asleep(one)) one.has_missed = false;
  for (; !one.events.empty() && one.events.top() <= one.clock; one.events.pop()) {
    one.has_missed = !is_asleep(one);
  }
  one.is = state::running;
  running_.store(pe, std::memory_order_relaxed);
}

void scheduler::pass_turn(std::uint32_t me) {
  if (contexts_ == nullptr) return;  // the job is used from outside run(), as one PE may
  const std::uint32_t next = choose();
  if (next == me) return;
  log(next, "has its turn");
  contexts_->switch_to(next);
}

void scheduler::give_way(std::uint32_t me) {
  hold_up(me);
  pass_turn(me);
}

void scheduler::hold_up(std::uint32_t me) {
  if (held_up_times_ != 0 && dice_.happens(held_up_times_, 256)) {
    work(me, dice_.skewed(held_up_log_));
  }
}

void scheduler::refused(std::uint32_t me) {
  if (is_reporting_) return;
  work(me, refusal_ns);
  if (++pes_[me].refusals > most_refusals) {
    wait(me, false);
  }
}

void scheduler::wait(std::uint32_t me, bool is_idle) {
  simulated& one = pes_[me];
  if (is_idle) {
    one.refusals = 0;
    if (std::exchange(one.has_acted, false)) return;  // what follows from that comes first
  }
  one.is = is_idle ? state::idle : state::polling;
  one.asleep_since = one.clock;
  pass_turn(me);
}

void scheduler::lose_when_due() {
  if (!kill_pe_ || steps_ < kill_step_ || loss_known_at_ != 0) return;
  simulated& one = pes_[*kill_pe_];
  if (one.is == state::ended) return;
  log(*kill_pe_, "is lost");
  one.is = state::lost;
  loss_known_at_ = peer_timeout_s_ == 0
                       ? never
                       : one.clock + static_cast<std::uint64_t>(peer_timeout_s_ * 1e9) + 1;
}

void scheduler::overdue(std::uint32_t me) {
  if (loss_known_at_ != 0) report_loss();
  log(me, "has waited too long");
  report_stuck(quiet_turns_ > pes_.size()
                   ? nothing_under_way
                   : "a PE has waited for longer than LAMELLAR_HANG_SECONDS (of virtual time) "
                     "while others went on");
}

void scheduler::report_if_asked() {
  if (!report_request::taken()) return;
  is_reporting_ = true;
  fmt::print(stderr, "lamellar: what {} simulated PEs do (asked by SIGUSR1):{}\n", pes_.size(),
             waiting_text());
  is_reporting_ = false;
}

void scheduler::report_stuck(const std::string& why) {
  is_reporting_ = true;
  abort_job(stuck_code, fmt::format("the simulated job is stuck: {}. What they wait for:{}",
                                    why, waiting_text()));
}

void scheduler::report_loss() {
  abort_job(loss_code, fmt::format("PE {} was lost, as LAMELLAR_SIM_KILL={}@{} asks; the "
                                   "others ended with it",
                                   *kill_pe_, *kill_pe_, kill_step_));
}

std::string scheduler::waiting_text() const {
  std::map<std::string, std::vector<std::uint32_t>> waiting;
  for (std::uint32_t pe = 0; pe < pes_.size(); ++pe) {
    const simulated& one = pes_[pe];
    const std::string text = one.is == state::ended  ? "has ended"
                             : one.is == state::lost ? "was lost"
                             : one.describe          ? one.describe()
                                                     : "waits";
    waiting[text].push_back(pe);
  }
  std::vector<std::pair<std::vector<std::uint32_t>, std::string>> by_pe;
  for (const auto& [text, pes] : waiting) by_pe.emplace_back(pes, text);
  std::sort(by_pe.begin(), by_pe.end());
  std::string all;
  for (const auto& [pes, text] : by_pe) {
    fmt::format_to(std::back_inserter(all), "\n  PE {}: ", ranges(pes));
    for (const char c : text) {
      all += c;
      if (c == '\n') all += "    ";
    }
  }
  return all;
}

}  // namespace lamellar::lamellae::sim
