// SPDX-License-Identifier: BSD-3-Clause
// Tasks run beside the body of a program: while one waits for an answer the others go on. With
// LAMELLAR_THREADS=2 or more they also run at the same time.
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/lamellar.hpp>

using lamellar::task;
using lamellar::world;

// Visits `steps` PEs one after the other and adds up their numbers. Each step waits for the
// one before it, so what makes it fast is to have many walks.
task<std::uint64_t> walk(world& world, std::uint32_t start, std::uint32_t steps) {
  const auto number = [](lamellar::context& at) { return std::uint64_t{at.me().index()}; };
  std::uint64_t sum = 0;
  for (std::uint32_t step = 0; step < steps; ++step) {
    sum += co_await world.call(world.at((start + step) % world.size()), number);
  }
  co_return sum;
}

task<int> body(world& world) {
  const std::uint32_t pes = world.size();
  const std::uint64_t numbers = std::uint64_t{pes} * (pes - 1) / 2;  // 0 + 1 + ... + (PEs - 1)

  // A task does nothing until it is awaited, or spawned.
  const std::uint64_t once = co_await walk(world, 0, pes);

  std::vector<lamellar::spawned<std::uint64_t>> walks;
  for (std::uint32_t i = 0; i < 100; ++i) {
    walks.push_back(world.spawn(walk(world, i, 10 * pes)));
  }
  // The body has work of its own, and lets the walks have their turn after each piece of it.
  std::uint64_t largest = 0;
  for (std::uint64_t piece = 0; piece < 100; ++piece) {
    for (std::uint64_t n = 1000 * piece; n < 1000 * (piece + 1); ++n) {
      largest = std::max(largest, n * 48271 % 2147483647);
    }
    co_await world.yield();
  }

  bool right = once == numbers && largest < 2147483647;
  for (const std::uint64_t sum : co_await lamellar::when_all(std::move(walks))) {
    right = right && sum == 10 * numbers;
  }
  if (world.me().index() == 0) {
    fmt::print("100 walks of {} calls each, beside the body's own work\n", 10 * pes);
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
