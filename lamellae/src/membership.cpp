// SPDX-License-Identifier: BSD-3-Clause
#include "membership.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <lamellar/lamellae/job.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bootstrap/bootstrap.hpp"

namespace lamellar::lamellae {
namespace {

constexpr int tries_to_flush = 1000;

thread_local const std::atomic<std::uint32_t>* in_turn = nullptr;

/// Never destroyed: it is asked last of all, while the process ends.
struct process_record {
  struct pe_thread {
    std::thread::id thread;
    std::uint32_t pe;
  };
  std::mutex mutex;                   // guards the next two
  std::vector<pe_thread> inside;      // threads that run a PE now
  std::function<std::string()> note;  // said when the job ends out of turn
  std::mutex launcher_mutex;          // guards the next
  bootstrap* launcher = nullptr;      // to be told of an abort
  std::once_flag guard_installed;
  // The PE that opens the job writes, before any other thread exists; whoever aborts reads.
  std::atomic<job_page*> page{nullptr};
  std::atomic<std::uint32_t> pe{0};
  std::atomic<bool> is_aborting{false};  // set by the first thread that aborts; all read
};

process_record& record() {
  static auto* const only = new process_record;
  return *only;
}

/// Whether this is the first abort of the whole job, as far as its PEs share memory. It may
/// speak; the others take its code, if that is known yet.
bool claim_abort(int& code) {
  process_record& self = record();
  if (self.is_aborting.exchange(true)) {
    for (;;) pause();  // another thread of this process is about to end it
  }
  job_page* const page = self.page.load();
  if (page == nullptr) return true;
  std::uint32_t nobody = 0;
  if (!page->aborted_by.compare_exchange_strong(nobody, self.pe.load() + 1)) {
    if (const int first = page->abort_code.load(); first != 0) code = first;
    return false;
  }
  page->abort_code.store(code);
  return true;
}

/// Write out what the program has printed, unless some thread keeps the stream locked.
void flush_output() {
  for (int tries = 0; tries < tries_to_flush; ++tries) {
    if (ftrylockfile(stdout) == 0) {
      fflush_unlocked(stdout);
      funlockfile(stdout);
      return;
    }
    sched_yield();
  }
}

/// Runs in exit(), with the status given to it.
void refuse_early_exit(int status, void*) {
  process_record& self = record();
  std::string text;
  {
    const std::lock_guard lock{self.mutex};
    if (self.inside.empty()) return;
    const auto now = pe_in_turn();
    const auto mine = std::find_if(self.inside.begin(), self.inside.end(), [&](const auto& it) {
      return it.thread == std::this_thread::get_id() && it.pe == now.value_or(it.pe);
    });
    text = mine != self.inside.end()
               ? fmt::format("PE {} left the job by exit({}) before run returned", mine->pe,
                             status)
               : fmt::format("exit({}) was called while PE {} was inside the job", status,
                             self.inside.front().pe);
  }
  abort_job(status, text + "; return from the body instead");
}

}  // namespace

void remember_shared_job(const job_memory& memory, std::uint32_t pe) {
  job_page* none = nullptr;
  record().pe.store(pe);
  record().page.compare_exchange_strong(none, &memory.page());
}

void forget_shared_job(const job_page& page) {
  job_page* remembered = const_cast<job_page*>(&page);
  record().page.compare_exchange_strong(remembered, nullptr);
}

void remember_launcher(bootstrap& who) {
  process_record& self = record();
  const std::lock_guard lock{self.launcher_mutex};
  self.launcher = &who;
}

void forget_launcher(const bootstrap& who) {
  process_record& self = record();
  const std::lock_guard lock{self.launcher_mutex};
  if (self.launcher == &who) self.launcher = nullptr;
}

const std::atomic<std::uint32_t>* remember_turns(const std::atomic<std::uint32_t>* pe) {
  return std::exchange(in_turn, pe);
}

std::optional<std::uint32_t> pe_in_turn() {
  if (in_turn == nullptr) return std::nullopt;
  return in_turn->load(std::memory_order_relaxed);
}

void note_for_abort(std::function<std::string()> note) {
  process_record& self = record();
  const std::lock_guard lock{self.mutex};
  self.note = std::move(note);
}

inside_job::inside_job(std::uint32_t pe) : pe_{pe} {
  process_record& self = record();
  std::call_once(self.guard_installed, [] { on_exit(refuse_early_exit, nullptr); });
  const std::lock_guard lock{self.mutex};
  self.inside.push_back({std::this_thread::get_id(), pe});
}

inside_job::~inside_job() {
  process_record& self = record();
  const std::lock_guard lock{self.mutex};
  std::erase_if(self.inside, [this](const auto& it) {
    return it.thread == std::this_thread::get_id() && it.pe == pe_;
  });
}

void abort_job(int code, std::string_view text) {
  // The shell and the launcher see eight bits; none of them may make a failure look like
  // success.
  if ((code & 0xff) == 0) code = 1;
  const bool may_speak = claim_abort(code);
  flush_output();
  if (may_speak) {
    std::string line = fmt::format("lamellar: {}\n", text);
    {
      process_record& self = record();
      const std::lock_guard lock{self.mutex};
      if (self.note) line += self.note();
    }
    // One write, so that lines of several processes do not mix.
    [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  }
  {
    process_record& self = record();
    const std::lock_guard lock{self.launcher_mutex};
    if (self.launcher != nullptr) self.launcher->abort(code, text);
    std::_Exit(code);
  }
}

}  // namespace lamellar::lamellae
