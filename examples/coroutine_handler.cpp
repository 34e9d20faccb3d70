// SPDX-License-Identifier: BSD-3-Clause
// A handler that waits for other PEs is a coroutine. While it waits its PE does other work, so
// handlers may wait for handlers to any depth, on any number of PEs.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>

using lamellar::context;
using lamellar::task;

// The n-th Fibonacci number, by asking the two next PEs for the two before it. Context and
// arguments come by value: the handler outlives the message that started it.
struct fibonacci {
  task<std::uint64_t> operator()(context at, std::uint32_t n) const {
    if (n < 2) {
      co_return n;
    }
    lamellar::world& world = at.world();
    const std::uint32_t me = at.me().index();
    auto one = world.call(world.at((me + 1) % world.size()), fibonacci{}, n - 1);
    auto two = world.call(world.at((me + 2) % world.size()), fibonacci{}, n - 2);
    const std::uint64_t first = co_await one;  // both are under way by now
    const std::uint64_t second = co_await two;
    co_return first + second;
  }
};

// How many PEs there are, by halves: whoever is asked for a range asks two others for its
// halves.
struct count_pes {
  task<std::uint32_t> operator()(context at, std::uint32_t first, std::uint32_t end) const {
    if (end - first == 1) {
      co_return 1;
    }
    const std::uint32_t middle = first + (end - first) / 2;
    auto [left, right] = co_await lamellar::when_all(
        at.world().call(at.world().at(first), count_pes{}, first, middle),
        at.world().call(at.world().at(middle), count_pes{}, middle, end));
    co_return left + right;
  }
};

task<int> body(lamellar::world& world) {
  const std::uint64_t number = co_await world.call(world.me(), fibonacci{}, 15u);
  const std::uint32_t pes = co_await world.call(world.at(0), count_pes{}, 0u, world.size());
  if (world.me().index() == 0) {
    fmt::print("fibonacci(15) = {}, counted {} PEs\n", number, pes);
  }
  co_return number == 610 && pes == world.size() ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
