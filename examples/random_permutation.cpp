// SPDX-License-Identifier: BSD-3-Clause
// A random permutation by throwing darts: each number is thrown at random places of a board
// twice as large, until it hits a free one. The numbers in the order of the board, without the
// gaps, are the permutation.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <random>
#include <vector>

constexpr std::uint64_t count = 20'000;  // numbers to permute: 0, 1, ... count - 1
constexpr std::uint64_t nobody = 0;      // marks a free place: arrays begin with zeros

using numbers = lamellar::atomic_array<std::uint64_t>;

// Throw this PE's numbers at the board, all that are left in each round.
lamellar::task<> throw_darts(numbers board, std::vector<std::uint64_t> darts,
                             std::uint64_t seed) {
  std::mt19937_64 random{seed};
  while (!darts.empty()) {
    std::vector<lamellar::completion<lamellar::exchanged<std::uint64_t>>> thrown;
    for (const std::uint64_t dart : darts) {
      thrown.push_back(board.compare_exchange(random() % board.size(), nobody, dart + 1));
    }
    std::vector<std::uint64_t> missed;
    for (std::size_t k = 0; k < thrown.size(); ++k) {
      const auto hit = co_await thrown[k];
      if (!hit.done) missed.push_back(darts[k]);
    }
    darts = missed;
  }
}

lamellar::task<int> body(lamellar::world& world) {
  const auto board = co_await numbers::create(world, 2 * count);
  const auto permutation = co_await numbers::create(world, count);

  // Each PE throws the numbers that it owns the places of; any other share would do.
  std::vector<std::uint64_t> darts(permutation.local_size());
  for (std::size_t k = 0; k < darts.size(); ++k) darts[k] = permutation.global_index(k);
  auto throwing = throw_darts(board, darts, 1 + world.me().index());
  co_await throwing;
  co_await world.barrier();  // all have hit

  // What is on this PE's part of the board comes after all that is on the parts before.
  std::vector<std::uint64_t> here;
  for (const std::uint64_t place : board.local().plain()) {
    if (place != nobody) here.push_back(place - 1);
  }
  const std::size_t before =
      co_await lamellar::exclusive_scan(world, here.size(), std::size_t{0});
  co_await permutation.put(before, here);
  co_await world.barrier();

  // One PE looks whether each number is there once, and whether they have moved.
  bool right = true;
  if (world.me().index() == 0) {
    std::vector<bool> seen(count);
    std::uint64_t place = 0;
    std::uint64_t unmoved = 0;
    for (const std::uint64_t each : lamellar::stream(permutation)) {
      right = right && each < count && !seen[each];
      if (right) seen[each] = true;
      unmoved += each == place++ ? 1 : 0;
    }
    right = right && place == count && unmoved < count / 100;
    fmt::print("{} numbers, {} of them where they were: {}\n", place, unmoved,
               right ? "a permutation" : "wrong");
  }
  co_await world.barrier();
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
