// SPDX-License-Identifier: BSD-3-Clause
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// PEs that behave as their arguments say: launcher_pe WHAT [PE [CODE]]. One PE does WHAT when
// all have joined, the others wait for it in a wave for ever. Every PE says "ready".
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
  if (what == "start") {
    const std::string itself = "\"$(readlink /proc/" + std::to_string(getpid()) + "/exe)\"";
    return std::system((itself + " finish").c_str()) == 0 ? EXIT_SUCCESS : code;
  }
  std::fprintf(stderr, "launcher_pe: %s?\n", std::string{what}.c_str());
  return EXIT_FAILURE;
}

struct orders {
  std::string_view what = "finish";
  std::string who = "0";
  int code = 0;
  sigset_t signals;
};

int be(lamella& pe, const orders& mine) {
  const inside_job inside{pe.me()};
  say("ready " + std::to_string(getpid()));

  if (mine.what == "finish" || mine.what == "signals" || mine.what == "grandchildren") {
    if (mine.what == "signals") report_signals(mine.signals);
    if (mine.what == "grandchildren") leave_grandchildren();
    wait_for_all(pe);
    if (mine.what == "grandchildren" && mine.code != 0) wait_for_ever(pe);
    pe.finished();
    return mine.code;
  }
  if (mine.what != "wait" && mine.what != "stay-out") wait_for_all(pe);
  if (mine.what != "wait" && std::to_string(pe.me()) == mine.who) {
    return act(pe, mine.what, mine.code);
  }
  wait_for_ever(pe);
}

}  // namespace

int main(int argc, char** argv) {
  orders mine;
  if (argc > 1) mine.what = argv[1];
  if (argc > 2) mine.who = argv[2];
  if (argc > 3) mine.code = std::atoi(argv[3]);
  sigemptyset(&mine.signals);
  for (const int each : {SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGTERM}) {
    sigaddset(&mine.signals, each);
  }
  if (mine.what == "signals") sigprocmask(SIG_BLOCK, &mine.signals, nullptr);

  // The PE whose number is given last does not join, if it is the one meant.
  if (mine.what == "stay-out" && argc > 4 && mine.who == argv[4]) return 0;

  job joined;
  try {
    joined = open_job(settings::from_environment());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "launcher_pe: %s\n", e.what());
    return 3;
  }
  std::vector<std::thread> others;
  for (std::size_t k = 1; k < joined.pes.size(); ++k) {
    others.emplace_back([&pe = *joined.pes[k], &mine] { be(pe, mine); });
  }
  const int result = be(*joined.pes.front(), mine);
  for (std::thread& other : others) other.join();
  return result;
}
