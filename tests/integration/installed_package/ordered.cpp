// SPDX-License-Identifier: BSD-3-Clause
// A small user program that needs all layers: numbers, falling at first, are sorted and looked
// at.
#include <cstdint>
#include <cstdio>
#include <lamellar/lamellar.hpp>

lamellar::task<int> ordered(lamellar::world& world) {
  const std::uint64_t count = 1000;
  const auto numbers = co_await lamellar::atomic_array<std::uint64_t>::create(world, count);
  for (std::uint64_t i = world.me().index(); i < count; i += world.size()) {
    numbers.store(i, count - i);
  }
  co_await world.quiesce();
  co_await lamellar::sort(numbers);
  const std::uint64_t first = co_await numbers.load(0);
  const std::uint64_t last = co_await numbers.load(count - 1);
  std::printf("PE %u of %u: from %lu to %lu\n", world.me().index(), world.size(), first, last);
  co_return first == 1 && last == count ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, ordered); }
