// SPDX-License-Identifier: BSD-3-Clause
// What a handler throws reaches the PE that can do something about it.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <stdexcept>

struct half {
  int operator()(int n) const {
    if (n % 2 != 0) {
      throw std::invalid_argument(fmt::format("{} is odd", n));
    }
    return n / 2;
  }
};

lamellar::task<int> body(lamellar::world& world) {
  const lamellar::pe next = world.at((world.me().index() + 1) % world.size());
  int caught = 0;

  // A call: the exception comes out where the answer would have.
  try {
    co_await world.call(next, half{}, 3);
  } catch (const lamellar::remote_error& e) {
    caught += e.pe() == next.index() ? 1 : 0;
    if (world.me().index() == 0) {
      fmt::print("{}\n", e.what());
    }
  }

  // A send: out of the sender's wait_all(), the first one with a count.
  for (int n = 0; n < 10; ++n) {
    world.send(next, half{}, n);
  }
  try {
    world.wait_all();
  } catch (const lamellar::remote_error& e) {
    caught += e.count() == 5 ? 1 : 0;
  }

  // Or out of quiesce(), on every PE. It has completed all the same: nothing is under way.
  if (world.me().index() == 0) {
    world.send(next, half{}, 7);
  }
  try {
    co_await world.quiesce();
  } catch (const lamellar::remote_error& e) {
    caught += e.count() == 1 ? 1 : 0;
  }
  co_return caught == 3 ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
