// SPDX-License-Identifier: BSD-3-Clause
// PE 0 waits in a barrier while PE 1 computes for longer than a PE may wait in silence and than
// a report waits for answers; with an argument, PE 1 computes inside a handler, and asks for
// the report itself. What is printed is checked by the tests that run this.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <lamellar/substrate/run.hpp>

namespace {

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
  return lamellar::run(argc, argv, [argc](lamellar::world& w) {
    if (argc > 1) {
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
