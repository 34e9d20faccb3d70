// SPDX-License-Identifier: BSD-3-Clause
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <string>
#include <string_view>
#include <thread>

// A PE that behaves as its arguments say: launcher_pe WHAT [PE [CODE]]. One PE does WHAT, the
// others wait for it in a wave for ever. Every PE says "ready" when it has joined.
namespace {

using namespace lamellar::lamellae;

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void wait_for_all(lamella& pe) {
  wave mine;
  pe.begin_wave(mine);
  while (!pe.end_wave(mine)) std::this_thread::yield();
}

[[noreturn]] void wait_for_ever(lamella& pe) {
  wave mine;
  pe.begin_wave(mine);
  for (;;) {
    pe.end_wave(mine);
    std::this_thread::yield();
  }
}

/// Say which signals come, until the terminating one does.
void report_signals(const sigset_t& wanted) {
  int got = 0;
  while (sigwait(&wanted, &got) == 0) {
    say(std::string{"got SIG"} + sigabbrev_np(got));
    if (got == SIGTERM) return;
  }
}

/// Start a process that starts another, and both sleep.
void leave_grandchildren() {
  if (fork() == 0) {
    if (fork() == 0) setsid();
    for (;;) pause();
  }
}

int act(lamella& pe, std::string_view what, int code) {
  if (what == "return") return code;
  if (what == "leave") _exit(code);
  if (what == "exit") std::exit(code);
  if (what == "abort") abort_job(code, "PE " + std::to_string(pe.me()) + " has had enough");
  if (what == "throw") throw std::exception{};
  std::fprintf(stderr, "launcher_pe: %s?\n", std::string{what}.c_str());
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "finish";
  const std::string who = argc > 2 ? argv[2] : "0";
  const int code = argc > 3 ? std::atoi(argv[3]) : 0;

  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGTERM})
    sigaddset(&wanted, signal);
  if (what == "signals") sigprocmask(SIG_BLOCK, &wanted, nullptr);

  // Number k does not join, if it is told so; the launcher says its number by position.
  if (what == "stay-out" && argc > 4 && who == argv[4]) return 0;

  job joined;
  try {
    joined = open_job(settings::from_environment());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "launcher_pe: %s\n", e.what());
    return 3;
  }
  lamella& pe = *joined.pes.front();
  const inside_job inside{pe.me()};
  say("ready " + std::to_string(getpid()));

  if (what == "finish") {
    wait_for_all(pe);
    pe.finished();
    return code;
  }
  if (what == "signals") {
    report_signals(wanted);
    wait_for_all(pe);
    pe.finished();
    return 0;
  }
  if (what == "grandchildren") {
    leave_grandchildren();
    wait_for_all(pe);
    if (code != 0) wait_for_ever(pe);
    pe.finished();
    return 0;
  }
  if (what != "wait" && std::to_string(pe.me()) == who) {
    wait_for_all(pe);
    return act(pe, what, code);
  }
  if (what != "stay-out" && what != "wait") wait_for_all(pe);
  wait_for_ever(pe);
}
