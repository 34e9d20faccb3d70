// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <lamellar/lamellar.hpp>

// Every PE adds 1 to the counter of every PE, 1000 times.
lamellar::task<int> hello(lamellar::world& world) {
  const auto counter = co_await lamellar::darc<unsigned>::create(world, 0u);
  const auto add = [](unsigned& count, unsigned by) { count += by; };
  for (int i = 0; i < 1000; ++i) {
    counter.send_all(add, 1u);  // runs on each PE, with that PE's counter
  }
  co_await world.quiesce();  // whatever anybody has sent is done
  std::printf("PE %u of %u counted %u\n", world.me().index(), world.size(), counter.local());
  co_return counter.local() == 1000 * world.size() ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, hello); }
