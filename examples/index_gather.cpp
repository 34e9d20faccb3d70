// SPDX-License-Identifier: BSD-3-Clause
// Index gather: each PE has a list of random places of a table that lies on all PEs, and reads
// what is there.
#include <fmt/format.h>

#include <functional>
#include <lamellar/lamellar.hpp>
#include <random>
#include <vector>

constexpr std::size_t table_size = 10'001;
constexpr std::size_t list_size = 50'000;  // of each PE

// What is in the table at place i.
std::uint64_t value_at(std::uint64_t i) { return i * i + 7; }

lamellar::task<int> body(lamellar::world& world) {
  // Each PE fills what it owns of the table. After that nobody changes it, and the types say
  // so.
  auto filled = co_await lamellar::unsafe_array<std::uint64_t>::create(world, table_size);
  for (std::size_t k = 0; k < filled.local_size(); ++k) {
    filled.local()[k] = value_at(filled.global_index(k));
  }
  const auto table = co_await std::move(filled).into_read_only();

  std::mt19937_64 random{world.me().index()};
  std::vector<std::uint64_t> list(list_size);
  for (std::uint64_t& each : list) each = random() % table_size;

  // The kernel, into memory that is there already; results stand in the order of the list.
  std::vector<std::uint64_t> found(list_size);
  co_await table.gather_into(list, found);

  // The same with a vector as the answer.
  const std::vector<std::uint64_t> loaded = co_await table.load(list);

  // The same from a table of one's own.
  std::vector<std::uint64_t> own(table_size);
  for (std::size_t i = 0; i < table_size; ++i) own[i] = value_at(i);
  bool right = loaded == found;
  for (std::size_t k = 0; k < list_size; ++k) right = right && found[k] == own[list[k]];

  right = co_await lamellar::all_reduce(world, right, std::logical_and<>{});
  if (world.me().index() == 0) {
    fmt::print("{} x {} values gathered from {} places: {}\n", world.size(), list_size,
               table_size, right ? "right" : "wrong");
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
