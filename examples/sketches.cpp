// SPDX-License-Identifier: BSD-3-Clause
// Questions about a stream that is too large to keep: how many distinct values, how often each,
// which in the middle, a few of them at random, and whether one has come. Each PE has sketches
// of its share; merged they are those of all.
#include <fmt/format.h>

#include <cmath>
#include <lamellar/lamellar.hpp>
#include <vector>

// Value number k of the stream: squares, so that small ones are frequent.
std::uint64_t value(std::uint64_t k) {
  const std::uint64_t random = k * 0x9e3779b97f4a7c15U >> 44;  // below 2^20
  return random * random >> 24;                                // below 2^16
}

lamellar::task<int> body(lamellar::world& world) {
  const std::uint64_t n = 200'000;
  auto distinct = lamellar::hyperloglog<std::uint64_t>::size_for(0.01);
  auto counts = lamellar::count_min<std::uint64_t>::size_for(0.0005);
  auto order = lamellar::quantile<std::uint64_t>::size_for(0.01, world.me().index());
  lamellar::reservoir<std::uint64_t> some{5, world.me().index()};
  using filter = lamellar::bloom_filter<std::uint64_t>;
  const auto seen = co_await filter::create(world, filter::size_for(n, 0.01));

  for (std::uint64_t k = world.me().index(); k < n; k += world.size()) {
    distinct.insert(value(k));  // no messages
    counts.insert(value(k));
    order.insert(value(k));
    some.insert(value(k));
    seen.insert(value(k));  // to where its bits are
  }
  distinct = co_await lamellar::all_merge(world, distinct);
  counts = co_await lamellar::all_merge(world, counts);
  order = co_await lamellar::all_merge(world, order);
  some = co_await lamellar::all_merge(world, some);
  co_await world.quiesce();
  const bool has_first = co_await seen.contains(value(0));
  const bool has_other = co_await seen.contains(std::uint64_t{1} << 40);

  // What is right, for comparison.
  std::vector<std::uint32_t> exact(std::size_t{1} << 16);
  std::uint64_t different = 0;
  for (std::uint64_t k = 0; k < n; ++k) different += exact[value(k)]++ == 0 ? 1 : 0;
  if (world.me().index() == 0) {
    fmt::print("distinct: about {:.0f}, in truth {}\n", distinct.estimate(), different);
    fmt::print("times of 0: at most {}, in truth {}\n", counts.estimate(0), exact[0]);
    fmt::print("median: about {}\n", order.at(0.5));
    fmt::print("some of them: {}\n", fmt::join(some.items(), " "));
    fmt::print("has {} come? {}. Has 2^40? {}\n", value(0), has_first, has_other);
  }
  const double off = distinct.estimate() / static_cast<double>(different) - 1;
  co_return std::abs(off) < 0.05 && counts.estimate(0) >= exact[0] && has_first ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
