// SPDX-License-Identifier: BSD-3-Clause
#include "team.hpp"

#include <fmt/core.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "limits.hpp"
#include "machine.hpp"

namespace lamellar::benchmark {
namespace {

// Puts the calling thread back where it was allowed to run.
class affinity_guard {
 public:
  affinity_guard() { ::sched_getaffinity(0, sizeof before_, &before_); }
  ~affinity_guard() { ::sched_setaffinity(0, sizeof before_, &before_); }
  affinity_guard(const affinity_guard&) = delete;
  affinity_guard& operator=(const affinity_guard&) = delete;

 private:
  cpu_set_t before_;
};

struct unmap_state {
  void operator()(team_state* state) const { ::munmap(state, sizeof *state); }
};

std::unique_ptr<team_state, unmap_state> shared_state() {
  void* place = ::mmap(nullptr, sizeof(team_state), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED)
    throw std::system_error(errno, std::generic_category(), "cannot share a page");
  return std::unique_ptr<team_state, unmap_state>(new (place) team_state);
}

// The children of a process team. The destructor ends and collects those that are left.
class child_processes {
 public:
  child_processes() = default;
  ~child_processes() {
    for (const pid_t id : running_) {
      ::kill(id, SIGKILL);
      ::waitpid(id, nullptr, 0);
    }
  }
  child_processes(const child_processes&) = delete;
  child_processes& operator=(const child_processes&) = delete;

  void add(pid_t id) { running_.push_back(id); }

  // Collect those that have ended; false if one of them ended badly.
  bool fine(bool wait_for_end) {
    bool all_well = true;
    std::erase_if(running_, [&](pid_t id) {
      int status = 0;
      if (::waitpid(id, &status, wait_for_end ? 0 : WNOHANG) != id) return false;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) all_well = false;
      return true;
    });
    return all_well;
  }

 private:
  std::vector<pid_t> running_;
};

[[noreturn]] void run_child(pid_t parent, unsigned cpu, member& self, team_state& state,
                            const team_body& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  try {
    pin_this_thread(cpu);
    body(self);
  } catch (const std::exception& e) {
    fmt::print(stderr, "participant {}: {}\n", self.index(), e.what());
    std::fflush(stderr);
    state.failed.store(true);
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

member::member(team_state& state, std::uint32_t index, std::uint32_t size,
               std::function<bool()> peers_alive)
    : state_(state), index_(index), size_(size), peers_alive_(std::move(peers_alive)) {}

void member::together() {
  // Relaxed: the phase cannot step before this member has arrived in it.
  const std::uint32_t phase = state_.phase.load(std::memory_order_relaxed);
  if (state_.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    state_.arrived.store(0, std::memory_order_relaxed);
    state_.phase.store(phase + 1, std::memory_order_release);
    return;
  }
  for (std::uint32_t spins = 1; state_.phase.load(std::memory_order_acquire) == phase;
       ++spins) {
    spin_pause();
    if (spins % 4096 != 0) continue;
    if (state_.failed.load() || !peers_alive_()) {
      state_.failed.store(true);
      throw std::runtime_error("a participant of the measurement was killed or has failed");
    }
    ::sched_yield();
  }
}

bool member::all(bool mine) {
  if (!mine) state_.refusals.fetch_add(1);
  together();
  const bool everyone = state_.refusals.load() == 0;
  together();
  if (index_ == 0) state_.refusals.store(0);
  together();
  return everyone;
}

void on_threads(const std::vector<unsigned>& cpus, const team_body& body) {
  team_state state;
  std::mutex guard;  // of `first`
  std::exception_ptr first;
  const auto size = static_cast<std::uint32_t>(cpus.size());
  const auto run_member = [&](std::uint32_t index) {
    try {
      pin_this_thread(cpus[index]);
      member self(state, index, size, [] { return true; });
      body(self);
    } catch (...) {
      const std::lock_guard lock(guard);
      if (!first) first = std::current_exception();
      state.failed.store(true);
    }
  };
  const affinity_guard put_back;
  std::vector<std::thread> others;
  for (std::uint32_t index = 1; index < size; ++index) others.emplace_back(run_member, index);
  run_member(0);
  for (std::thread& other : others) other.join();
  if (first) std::rethrow_exception(first);
}

void on_processes(const std::vector<unsigned>& cpus, const team_body& body) {
  const auto state = shared_state();
  const auto size = static_cast<std::uint32_t>(cpus.size());
  const pid_t parent = ::getpid();
  child_processes children;
  std::fflush(nullptr);  // or the children would print it again
  for (std::uint32_t index = 1; index < size; ++index) {
    const pid_t id = ::fork();
    if (id < 0)
      throw std::system_error(errno, std::generic_category(), "cannot start a process");
    if (id == 0) {
      member self(*state, index, size, [] { return true; });
      run_child(parent, cpus[index], self, *state, body);
    }
    children.add(id);
  }
  const affinity_guard put_back;
  pin_this_thread(cpus[0]);
  member self(*state, 0, size, [&] { return children.fine(false); });
  body(self);
  if (!children.fine(true))
    throw std::runtime_error("a process of the measurement was killed or has failed");
}

}  // namespace lamellar::benchmark
