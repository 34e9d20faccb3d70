// SPDX-License-Identifier: BSD-3-Clause
#include "children.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "environment.hpp"

namespace lamellar::run {
namespace {

constexpr int not_found = 127;
constexpr int not_executable = 126;

/// What a child says when it cannot become the program.
struct complaint {
  int reason;
};

[[noreturn]] void become_program(const options& chosen, const lamellae::job_memory& memory,
                                 const labels* labelled, const sigset_t& mask, std::uint32_t pe,
                                 pid_t parent, int complain_to) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(not_found);  // the launcher died before it could be watched

  if (pe != 0) {
    const int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) {
      dup2(nothing, STDIN_FILENO);
      close(nothing);
    }
  }
  if (labelled != nullptr) labelled->use_in_child(pe);

  setenv(lamellae::job_fd_variable, std::to_string(memory.fd()).c_str(), 1);
  setenv(lamellae::job_pes_variable, std::to_string(chosen.pes).c_str(), 1);
  setenv(lamellae::pe_variable, std::to_string(pe).c_str(), 1);
  if (!chosen.lamella.empty()) setenv(lamellae::lamella_variable, chosen.lamella.c_str(), 1);
  if (chosen.threads != 0) {
    setenv(lamellae::threads_variable, std::to_string(chosen.threads).c_str(), 1);
  }
  if (chosen.hosts != 0) {
    const std::uint64_t host = std::uint64_t{pe} * chosen.hosts / chosen.pes;
    setenv(lamellae::host_id_variable, fmt::format("host {}", host).c_str(), 1);
  }
  setenv("OMP_WAIT_POLICY", "passive", 0);
  setenv("OMP_PROC_BIND", "false", 0);

  std::vector<char*> words;
  for (const std::string& word : chosen.command)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvp(words[0], words.data());

  const complaint mine{errno};
  [[maybe_unused]] const auto written = write(complain_to, &mine, sizeof mine);
  _exit(not_found);
}

void end_started(const std::vector<pid_t>& started) {
  for (const pid_t child : started) kill(child, SIGKILL);
  for (const pid_t child : started) waitpid(child, nullptr, 0);
}

std::vector<pid_t> children_of_this_process() {
  std::ifstream in{fmt::format("/proc/self/task/{}/children", getpid())};
  std::vector<pid_t> found;
  for (pid_t child = 0; in >> child;) found.push_back(child);
  return found;
}

}  // namespace

std::vector<pid_t> start_children(const options& chosen, const lamellae::job_memory& memory,
                                  labels* labelled, const sigset_t& mask) {
  std::array<int, 2> complaints{};
  if (pipe2(complaints.data(), O_CLOEXEC) != 0) {
    throw start_failure{1, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  }
  const pid_t parent = getpid();
  std::vector<pid_t> started;
  for (std::uint32_t pe = 0; pe < chosen.pes; ++pe) {
    const pid_t child = fork();
    if (child == 0) {
      become_program(chosen, memory, labelled, mask, pe, parent, complaints[1]);
    }
    if (child < 0) {
      const std::string reason = std::strerror(errno);
      end_started(started);
      throw start_failure{
          1, fmt::format("cannot start PE {} of {}: {}; the system allows no more processes: "
                         "start fewer PEs or raise the limit (ulimit -u, or pids.max of the "
                         "control group)",
                         pe, chosen.pes, reason)};
    }
    started.push_back(child);
  }
  if (labelled != nullptr) labelled->close_child_ends();

  // The write end closes in each child as it becomes the program, so this ends when all have.
  close(complaints[1]);
  complaint first{};
  ssize_t got = 0;
  do {
    got = read(complaints[0], &first, sizeof first);
  } while (got < 0 && errno == EINTR);
  close(complaints[0]);
  if (got == sizeof first) {
    end_started(started);
    throw start_failure{
        first.reason == ENOENT ? not_found : not_executable,
        fmt::format("cannot run {}: {}", chosen.command.front(), std::strerror(first.reason))};
  }
  return started;
}

void adopt_orphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

void end_descendants() {
  for (;;) {
    const std::vector<pid_t> left = children_of_this_process();
    if (left.empty()) return;
    for (const pid_t child : left) kill(child, SIGKILL);
    for (const pid_t child : left) waitpid(child, nullptr, 0);
  }
}

}  // namespace lamellar::run
