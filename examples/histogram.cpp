// SPDX-License-Identifier: BSD-3-Clause
// Histogram: each PE has a list of random places of a table that lies on all PEs, and counts
// each of them.
#include <fmt/format.h>

#include <functional>
#include <lamellar/lamellar.hpp>
#include <random>
#include <span>
#include <vector>

constexpr std::size_t table_size = 10'001;
constexpr std::size_t list_size = 50'000;  // of each PE

using table = lamellar::atomic_array<std::uint64_t>;

// The kernel: any PE counts up any element; who owns it is not its business.
void count(const table& counts, std::span<const std::uint64_t> list) {
  for (const std::uint64_t i : list) counts.add(i, 1);
}

// The list of a PE: any would do that others can compute too, to check the result.
std::vector<std::uint64_t> list_of(std::uint32_t pe) {
  std::mt19937_64 random{pe};
  std::vector<std::uint64_t> list(list_size);
  for (std::uint64_t& each : list) each = random() % table_size;
  return list;
}

lamellar::task<int> body(lamellar::world& world) {
  const auto counts = co_await table::create(world, table_size);
  const std::vector<std::uint64_t> list = list_of(world.me().index());

  count(counts, list);
  counts.add(list, 1);       // the same once more: a whole list in one call, which is faster
  co_await world.quiesce();  // what all PEs have added is there

  // The same by one PE alone.
  std::vector<std::uint64_t> expected(table_size);
  for (std::uint32_t pe = 0; pe < world.size(); ++pe) {
    for (const std::uint64_t i : list_of(pe)) expected[i] += 2;
  }
  bool right = true;
  std::uint64_t counted = 0;
  const auto here = counts.local();
  for (std::size_t k = 0; k < here.size(); ++k) {
    right = right && here[k] == expected[counts.global_index(k)];
    counted += here[k];
  }
  counted = co_await lamellar::all_reduce(world, counted);
  right = co_await lamellar::all_reduce(world, right, std::logical_and<>{});
  if (world.me().index() == 0) {
    fmt::print("{} counted in {} places: {}\n", counted, table_size, right ? "right" : "wrong");
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
