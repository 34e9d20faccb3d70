// SPDX-License-Identifier: BSD-3-Clause
// Producers and consumers on all PEs, with a channel between them: numbers go in, and whoever
// is free takes one out and tests whether it is prime. A full channel makes producers wait.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>

using numbers = lamellar::channel<std::uint64_t>;

lamellar::task<> produce(numbers into, std::uint64_t first, std::uint64_t step,
                         std::uint64_t end) {
  for (std::uint64_t n = first; n < end; n += step) {
    co_await into.push(n);
  }
}

struct counts {
  std::uint64_t tested = 0;
  std::uint64_t primes = 0;
};

lamellar::task<counts> consume(numbers from) {
  counts mine;
  while (const auto n = co_await from.pop()) {  // nothing: closed, and empty
    bool prime = *n > 1;
    for (std::uint64_t d = 2; d * d <= *n; ++d) prime = prime && *n % d != 0;
    ++mine.tested;
    mine.primes += prime ? 1 : 0;
  }
  co_return mine;
}

lamellar::task<int> body(lamellar::world& world) {
  const std::uint64_t end = 2000;
  // Room for 16 numbers, on PE 0.
  const auto channel = co_await numbers::create(world, 16);
  auto consuming = world.spawn(consume(channel));
  auto producing = world.spawn(produce(channel, world.me().index(), world.size(), end));

  co_await producing;
  co_await world.barrier();  // now all are in
  if (world.me().index() == 0) {
    co_await channel.close();
  }
  const counts mine = co_await consuming;

  const auto all = co_await lamellar::all_gather(world, mine);
  counts sum;
  for (const counts& each : all) {
    sum.tested += each.tested;
    sum.primes += each.primes;
  }
  if (world.me().index() == 0) {
    fmt::print("{} of the numbers below {} are prime\n", sum.primes, end);
  }
  co_return sum.tested == end&& sum.primes == 303 ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
