// SPDX-License-Identifier: BSD-3-Clause
// PE 1 asks for a guard while it holds one of the same object, and gives up only after the
// complaint is due. What is printed, by the PE that keeps the lock, is checked by the test that
// runs this with LAMELLAR_HANG_SECONDS=0.2; the argument is local or global.
#include <chrono>
#include <lamellar/substrate/global_rw_darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <string_view>

namespace {

void compute_for_a_while() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
  while (std::chrono::steady_clock::now() < end) {
  }
}

template <class Object>
lamellar::task<> get_stuck(lamellar::world& w) {
  const auto object = co_await Object::create(w, 0);
  if (w.me().index() == 1) {
    auto first = co_await object.write();
    auto second = w.spawn(object.write());
    co_await w.yield();
    if constexpr (std::is_same_v<Object, lamellar::local_rw_darc<int>>) {
      co_await w.call(w.at(0), [] { compute_for_a_while(); });
    } else {
      compute_for_a_while();
    }
    first.release();
    (void)co_await second;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool local = argc > 1 && std::string_view{argv[1]} == "local";
  return lamellar::run(argc, argv, [local](lamellar::world& w) {
    local ? get_stuck<lamellar::local_rw_darc<int>>(w).get()
          : get_stuck<lamellar::global_rw_darc<int>>(w).get();
  });
}
