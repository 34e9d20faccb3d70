// SPDX-License-Identifier: BSD-3-Clause
// Does things that are allowed and likely mistakes, and prints in the order of PEs; with an
// argument, calls a handler of its own that takes long. The tests that run this look at what is
// said.
#include <chrono>
#include <lamellar/substrate/print.hpp>
#include <lamellar/substrate/run.hpp>

namespace {

struct answer {
  int operator()() const { return 42; }
};

struct blocks {
  int operator()(lamellar::context& at) const {
    return at.world().call(at.origin(), answer{}).get();
  }
};

struct computes {
  void operator()() const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1200);
    while (std::chrono::steady_clock::now() < end) {
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  return lamellar::run(argc, argv, [argc](lamellar::world& w) {
    if (argc > 1) {
      if (w.me().index() == 0) w.call(w.me(), computes{}).get();
      return;
    }
    if (w.me().index() == 0) {
      for (int k = 0; k < 3; ++k) {
        (void)w.call(w.at(1), answer{});
        (void)w.call(w.at(1), blocks{}).get();
      }
      w.send(w.at(1), computes{});
    }
    w.quiesce().get();
    lamellar::print_ordered(w, "first line\nsecond line").get();
  });
}
