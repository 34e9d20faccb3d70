// SPDX-License-Identifier: BSD-3-Clause
// One value made of all elements of an array. One PE may ask alone, or all together.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <numeric>

lamellar::task<int> body(lamellar::world& world) {
  constexpr std::size_t n = 1000;
  auto making = lamellar::atomic_array<std::int64_t>::create(world, n);
  const auto a = co_await making;
  for (std::size_t k = 0; k < a.local_size(); ++k) {
    const auto i = static_cast<std::int64_t>(a.global_index(k));
    a.local()[k] = i * i - 500 * i;
  }
  co_await world.barrier();

  // One-sided: PE 0 asks, the owners answer. An array without elements has no sum.
  bool right = true;
  if (world.me().index() == 0) {
    const auto total = co_await lamellar::sum(a);
    const auto nothing = co_await lamellar::sum(a.sub_array(5, 0));
    const auto extremes = co_await lamellar::min_max(a);
    fmt::print("sum {}, least {} at {}, greatest {} at {}\n", *total, extremes->min,
               extremes->min_index, extremes->max, extremes->max_index);
    right = total == 83'083'500 && !nothing && extremes->min_index == 250;
  }

  // Collective: every PE has the result. Any associative operation will do.
  const auto greatest_divisor = [](std::int64_t x, std::int64_t y) { return std::gcd(x, y); };
  auto reducing = lamellar::all_reduce(a, greatest_divisor);
  right = right && co_await reducing == 1;
  auto largest = lamellar::all_max(a.sub_array(0, 500));
  right = right && co_await largest == 0;
  co_await world.barrier();
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
