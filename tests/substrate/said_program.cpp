// SPDX-License-Identifier: BSD-3-Clause
// Does things that are allowed and likely mistakes, and prints in the order of PEs; with an
// argument "alone", calls a handler of its own that takes long; with "steps", one that takes
// long after it has waited. The tests that run this look at what is said.
#include <chrono>
#include <lamellar/substrate/print.hpp>
#include <lamellar/substrate/run.hpp>
#include <string_view>

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

struct computes_later {
  lamellar::task<> operator()(lamellar::context at) const {
    co_await at.world().yield();
    computes{}();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  return lamellar::run(argc, argv, [how](lamellar::world& w) {
    if (how == "alone") {
      if (w.me().index() == 0) w.call(w.me(), computes{}).get();
      return;
    }
    if (how == "steps") {
      if (w.me().index() == 0) w.send(w.at(1), computes_later{});
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
