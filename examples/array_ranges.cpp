// SPDX-License-Identifier: BSD-3-Clause
// Ranges of a distributed array: written and read whoever owns them, streamed from end to end,
// dealt out anew, made longer.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <numeric>
#include <span>
#include <vector>

lamellar::task<int> body(lamellar::world& world) {
  const std::size_t n = 10000;
  auto numbers = co_await lamellar::atomic_array<std::uint64_t>::create(world, n);
  const bool first = world.me().index() == 0;

  // A completion stands for data that are placed. The range may have many owners.
  if (first) {
    std::vector<std::uint64_t> values(n);
    std::iota(values.begin(), values.end(), 1);
    co_await numbers.put(0, values);
  }
  co_await world.barrier();
  std::vector<std::uint64_t> some(100);
  co_await numbers.get(4950, some);
  const std::uint64_t last = co_await numbers.at(n - 1);
  const std::vector<std::size_t> places{3, 9000, 1};
  std::vector<std::uint64_t> listed(places.size());
  co_await numbers.gather_into(places, listed);

  // All elements in order, whoever owns them: buffers come while the loop runs.
  std::uint64_t sum = 0;
  for (const std::uint64_t each : lamellar::stream(numbers)) sum += each;
  std::uint64_t rows = 0;
  for (const std::span<const std::uint64_t> row : lamellar::stream(numbers).chunks(250)) {
    rows += row.back() == (rows + 1) * 250;
  }
  std::uint64_t products = 0;
  for (const auto [x, y] : lamellar::zip(lamellar::stream(numbers).take(3),
                                         lamellar::stream(numbers).skip(10).step_by(5))) {
    products += x * y;  // 1 * 11 + 2 * 16 + 3 * 21
  }

  // The same elements, dealt out one by one.
  const auto dealt = co_await lamellar::redistribute<lamellar::layout::cyclic>(numbers);
  if (first) fmt::print("{}", lamellar::describe(dealt.sub_array(0, 32)));

  // Longer; nobody else may hold the array meanwhile.
  const auto longer = co_await lamellar::resize(std::move(numbers), 2 * n);
  const std::uint64_t kept = co_await longer.at(n - 1);
  const std::uint64_t added = co_await longer.at(n);

  const bool right = some[0] == 4951 && some[99] == 5050 && last == n && listed[1] == 9001 &&
                     sum == n * (n + 1) / 2 && rows == n / 250 && products == 106 &&
                     co_await dealt.at(77) == 78 && kept == n && added == 0;
  if (first) fmt::print("the sum is {}, all is {}\n", sum, right ? "right" : "wrong");
  co_await world.barrier();
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
