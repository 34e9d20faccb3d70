// SPDX-License-Identifier: BSD-3-Clause
// Programs that end badly in one way or another, or are asked how they do, for reports_test.py.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/world.hpp>
#include <stdexcept>
#include <string>

using namespace lamellar;

namespace {

struct served {
  int count = 0;
};

task<> ring(world& w) {
  const auto all = co_await darc<served>::create(w);
  for (int round = 0; round < 20; ++round) {
    const pe next = w.at((w.me().index() + 1) % w.size());
    all.send(next, [](served& mine) { ++mine.count; });
    co_await w.quiesce();
  }
}

task<int> run_case(world& w, std::string which) {
  const bool is_first = w.me().index() == 0;
  if (which == "ring") {
    co_await ring(w);
    if (is_first) std::puts("the ring is closed");
  } else if (which == "barrier") {
    if (is_first) co_await w.barrier();
    // The others come to their last quiesce: what PE 0 waits for never happens.
  } else if (which == "call") {
    if (w.me().index() == w.size() - 1) {
      const auto box = co_await darc<served>::create(w);
      box.exclusive([&](served&) { box.call(w.me(), [](served&) { return 0; }).get(); });
    } else {
      co_await darc<served>::create(w);
    }
  } else if (which == "poll") {
    while (is_first) w.poll();
  } else if (which == "throw") {
    if (is_first) throw std::runtime_error("out of the body");
    co_await w.barrier();
  } else if (which == "misuse") {
    if (is_first) w.send(w.at(1000), [] {});
  } else if (which == "code") {
    co_return is_first ? 3 : 0;
  } else if (which == "exit") {
    if (w.me().index() == 1) std::exit(4);
    co_await w.barrier();
  } else if (which == "ask") {
    if (w.me().index() == 1) {
      co_await w.call(w.at(0), [] { std::raise(SIGUSR1); });
    }
    co_await w.barrier();
    if (is_first) std::puts("went on");
  } else if (which == "silent") {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(600);
    while (w.me().index() == 1 && std::chrono::steady_clock::now() < until) {
    }
    co_await w.barrier();
  }
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string which = argc > 1 ? argv[1] : "ring";
  return run(argc, argv, [&which](world& w) { return run_case(w, which); });
}
