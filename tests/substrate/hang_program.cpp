// SPDX-License-Identifier: BSD-3-Clause
// PE 0 waits in a barrier while PE 1 computes for longer than a PE may wait in silence and than
// a report waits for answers; with the argument "handler", PE 1 computes inside a handler, and
// asks for the report itself; with "collective", it comes late to a collective of a team. What
// is printed is checked by the tests that run this.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/team.hpp>
#include <string_view>

namespace {

/// Polls for long enough to be missed.
void dawdle(lamellar::world& w) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
  while (std::chrono::steady_clock::now() < end) {
    w.poll();
  }
}

void compute() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
  while (std::chrono::steady_clock::now() < end) {
  }
}

struct long_handler {
  void operator()() const {
    kill(getpid(), SIGUSR1);
    compute();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  return lamellar::run(argc, argv, [how](lamellar::world& w) {
    if (how == "collective") {
      const lamellar::team both = lamellar::team{w}.block(0, 2).get();
      if (w.me().index() == 1) dawdle(w);
      (void)lamellar::all_reduce(both, 1).get();
    } else if (how == "handler") {
      if (w.me().index() == 0) {
        w.call(w.at(1), long_handler{}).get();
      }
    } else if (w.me().index() == 1) {
      compute();
    }
    w.barrier().get();
    w.call(
         w.at((w.me().index() + 1) % w.size()), [](std::string_view s) { return s.size(); },
         "x")
        .get();
  });
}
