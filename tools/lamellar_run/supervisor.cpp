// SPDX-License-Identifier: BSD-3-Clause
#include "supervisor.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace lamellar::run {
namespace {

using lamellae::pe_state;

constexpr auto patience = std::chrono::seconds{1};  // between asking a PE to end and killing it
constexpr auto patience_with_words = std::chrono::milliseconds{500};  // of those who lost a PE
constexpr int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

bool asks_to_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
}

std::string name_of(int signal) {
  const char* const name = sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

}  // namespace

taken_signals::taken_signals() {
  sigset_t taken;
  sigemptyset(&taken);
  sigaddset(&taken, SIGCHLD);
  for (const int signal : passed_on) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    // What we were told to ignore (nohup, a shell's background) stays ignored.
    if (now.sa_handler != SIG_IGN) sigaddset(&taken, signal);
  }
  signal(SIGCHLD,
         SIG_DFL);  // ignored by some parents, and then children could not be waited for
  sigprocmask(SIG_BLOCK, &taken, &before_);
  fd_ = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) {
    throw std::runtime_error{fmt::format("cannot watch signals: {}", std::strerror(errno))};
  }
}

taken_signals::~taken_signals() { close(fd_); }

supervisor::supervisor(std::vector<pid_t> children, const lamellae::job_memory& memory,
                       const taken_signals& signals, labels* labelled, double stopped_seconds,
                       bool others_notice)
    : running_{children.size()},
      memory_{memory},
      signals_{signals},
      labelled_{labelled},
      others_notice_{others_notice} {
  for (const pid_t process : children) children_.push_back({process, false, {}});
  if (stopped_seconds > 0) {
    longest_stop_ = std::chrono::duration_cast<clock::duration>(
        std::chrono::duration<double>{stopped_seconds});
  }
}

int supervisor::run() {
  std::vector<pollfd> waiting;
  collect();
  while (running_ != 0) {
    waiting.assign(1, {signals_.fd(), POLLIN, 0});
    if (labelled_ != nullptr) labelled_->add_to(waiting);
    const int ready = poll(waiting.data(), waiting.size(), milliseconds_to_wait(clock::now()));
    if (ready > 0 && labelled_ != nullptr) labelled_->pass_on(waiting);
    read_signals();
    const auto now = clock::now();
    judge_stopped(now);
    if (end_at_ && now >= *end_at_) end_all();
    if (kill_at_ && now >= *kill_at_) {
      kill_at_.reset();
      send_all(SIGKILL);
    }
  }
  return result_;
}

int supervisor::milliseconds_to_wait(clock::time_point now) const {
  std::optional<clock::time_point> next = is_ending_ ? kill_at_ : end_at_;
  for (const child& c : children_) {
    if (!c.stopped_since || is_ending_) continue;
    const auto lost_at = *c.stopped_since + *longest_stop_;
    if (!next || lost_at < *next) next = lost_at;
  }
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - now).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, 60'000));
}

void supervisor::read_signals() {
  signalfd_siginfo got{};
  while (read(signals_.fd(), &got, sizeof got) == sizeof got) {
    const int signal = static_cast<int>(got.ssi_signo);
    if (signal == SIGCHLD) continue;
    if (asks_to_end(signal)) {
      // Asked twice: it is meant, whatever the PEs do about it.
      if (signal == interrupted_by_ && signal != SIGHUP) end_all();
      interrupted_by_ = signal;
    }
    // What a terminal sends, it has sent to the PEs as well.
    if (got.ssi_code != SI_KERNEL) send_all(signal);
  }
  collect();
}

void supervisor::collect() {
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) != 0 ||
        info.si_pid == 0) {
      return;
    }
    const auto found = std::find_if(children_.begin(), children_.end(), [&](const child& c) {
      return c.process == info.si_pid && !c.has_ended;
    });
    if (found == children_.end()) continue;  // an orphan of a PE's
    switch (info.si_code) {
      case CLD_STOPPED:
        if (longest_stop_ && !found->stopped_since) found->stopped_since = clock::now();
        break;
      case CLD_CONTINUED:
        found->stopped_since.reset();
        break;
      default:
        found->has_ended = true;
        found->stopped_since.reset();
        --running_;
        judge_end(static_cast<std::uint32_t>(found - children_.begin()), info.si_code,
                  info.si_status);
    }
  }
}

void supervisor::judge_end(std::uint32_t pe, int how, int status) {
  lamellae::job_page& page = memory_.page();
  const bool was_signal = how == CLD_KILLED || how == CLD_DUMPED;
  if (is_ending_) return;
  if (page.aborted_by.load() != 0) {
    // Somebody has said why already. Its code is written after its claim, but before its end.
    if (page.aborted_by.load() == pe + 1) {
      fail(was_signal ? 128 + status : status, {});
    } else if (const int code = page.abort_code.load(); code != 0) {
      fail(code, {});
    }
    return;
  }
  if (was_signal) {
    const bool as_asked = status == interrupted_by_;
    if (others_notice_ && !as_asked && !end_at_) end_at_ = clock::now() + patience_with_words;
    fail(128 + status, as_asked ? fmt::format("ended by {}", name_of(status))
                                : fmt::format("PE {} was killed by {}{}", pe, name_of(status),
                                              how == CLD_DUMPED ? " (core dumped)" : ""));
    return;
  }
  auto state = pe_state::outside;
  const bool never_joined =
      memory_.entry(pe).state.compare_exchange_strong(state, pe_state::gone);
  if (state == pe_state::finished) {
    // It left in good order: the others will do the same, and keep what they still have to say.
    if (status != 0 && result_ == 0) {
      result_ = status;
      fmt::print(stderr, "lamellar-run: PE {} ended with exit code {}\n", pe, status);
    }
  } else if (status != 0) {
    fail(status, fmt::format("PE {} failed with exit code {}", pe, status));
  } else if (!never_joined) {
    fail(1, fmt::format("PE {} left the job without finishing (exit code 0)", pe));
  } else if (anybody_joined()) {
    fail(1, fmt::format("PE {} ended without joining the job of the others", pe));
  }
}

bool supervisor::anybody_joined() const {
  for (std::uint32_t pe = 0; pe < children_.size(); ++pe) {
    const pe_state state = memory_.entry(pe).state.load();
    if (state == pe_state::joined || state == pe_state::finished) return true;
  }
  return false;
}

void supervisor::judge_stopped(clock::time_point now) {
  if (is_ending_ || !longest_stop_) return;
  for (std::uint32_t pe = 0; pe < children_.size(); ++pe) {
    const auto& since = children_[pe].stopped_since;
    if (!since || now < *since + *longest_stop_) continue;
    fail(1, fmt::format("PE {} was stopped for {:.1f} s (LAMELLAR_PEER_TIMEOUT)", pe,
                        std::chrono::duration<double>{now - *since}.count()));
    return;
  }
}

void supervisor::fail(int code, const std::string& text) {
  if (result_ == 0) result_ = code;
  if (!text.empty()) {
    fmt::print(stderr, "lamellar-run: {}{}\n", text,
               running_ != 0 ? "; ending the others" : "");
  }
  if (!end_at_ || text.empty()) end_all();
}

void supervisor::end_all() {
  if (is_ending_) return;
  is_ending_ = true;
  kill_at_ = clock::now() + patience;
  send_all(SIGTERM);
  send_all(SIGCONT);  // a stopped process takes notice only when it continues
}

void supervisor::send_all(int signal) {
  for (const child& c : children_) {
    if (!c.has_ended) kill(c.process, signal);
  }
}

}  // namespace lamellar::run
