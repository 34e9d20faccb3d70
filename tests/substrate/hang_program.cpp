// SPDX-License-Identifier: BSD-3-Clause
// PE 0 waits in a barrier while PE 1 computes until the complaint is due; then both end well.
// What is printed is checked by the test that runs this with LAMELLAR_HANG_SECONDS=0.2 and
// LAMELLAR_STATISTICS=1.
#include <chrono>
#include <lamellar/substrate/run.hpp>

int main(int argc, char** argv) {
  return lamellar::run(argc, argv, [](lamellar::world& w) {
    if (w.me().index() == 1) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(900);
      while (std::chrono::steady_clock::now() < end) {
      }
    }
    w.barrier().get();
    w.call(
         w.at((w.me().index() + 1) % w.size()), [](std::string_view s) { return s.size(); },
         "x")
        .get();
  });
}
