// SPDX-License-Identifier: BSD-3-Clause
// Iteration over a distributed array: all PEs together over all elements, or one PE over those
// that it owns. A pipeline says what is to be done; its last call does it, in one loop.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <lamellar/lamellar.hpp>
#include <ranges>

using lamellar::all_elements;
using lamellar::local_elements;

// How many steps the Collatz sequence of n takes to reach 1: little work here, much there.
int steps_from(std::uint64_t n) {
  int steps = 0;
  for (; n > 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

lamellar::task<int> body(lamellar::world& world) {
  constexpr std::size_t n = 10'000;
  using cyclic = lamellar::layout::cyclic;
  auto making = lamellar::unsafe_array<int, cyclic>::create(world, n);
  const auto steps = co_await making;

  // Collective: all PEs make the same pipeline. Indices are those of the whole array. Some
  // elements take longer than others, so threads take 64 at a time when they have nothing to
  // do.
  auto filling = all_elements(steps).enumerate().for_each(
      [](std::size_t i, int& x) { x = steps_from(i); }, lamellar::schedule::chunked(64));
  co_await filling;

  // The results of sum(), count() and reduce() are on all PEs.
  auto counting = all_elements(steps).skip(1).filter([](int x) { return x > 200; }).count();
  const std::size_t long_ones = co_await counting;

  // A new array: in the order of indices, spread evenly, of whatever layout and access.
  using found = lamellar::read_only_array<std::size_t>;
  auto collecting = all_elements(steps)
                        .enumerate()
                        .filter([](std::size_t, int x) { return x > 200; })
                        .map([](std::size_t i, int) { return i; })
                        .collect<found>();
  const found starts = co_await collecting;

  // Two arrays at once: they lie in the same way.
  auto making_halves = lamellar::atomic_array<double, cyclic>::create(world, n);
  const auto halves = co_await making_halves;
  auto halving = all_elements(halves).zip(all_elements(steps)).for_each([](auto& half, int x) {
    half = x / 2.0;
  });
  co_await halving;

  // Not collective: what is here, by a pipeline, a loop, or the algorithms of the library.
  const int here = local_elements(steps).filter([](int x) { return x % 2 == 1; }).sum();
  int by_loop = 0;
  for (const int x : local_elements(steps)) by_loop += x % 2 == 1 ? x : 0;
  const bool same = std::ranges::count_if(local_elements(halves),
                                          [](double half) { return half < 0; }) == 0 &&
                    here == by_loop;

  if (world.me().index() == 0) {
    fmt::print("{} numbers take more than 200 steps, {} first\n", long_ones,
               co_await starts.load(0));
  }
  auto checking = lamellar::all_reduce(
      world, static_cast<int>(same && starts.size() == long_ones), std::multiplies<>{});
  co_return co_await checking == 1 ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
