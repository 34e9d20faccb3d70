// SPDX-License-Identifier: BSD-3-Clause
// Counts the ways to place n queens on a board of n rows so that none attacks another, by a
// work queue: an item is a board with some rows filled, and processing it brings forth those
// with one row more. All begin on PE 0; PEs that have nothing to do are given some.
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <lamellar/lamellar.hpp>

// One bit for each column.
struct board {
  std::uint32_t rows;     // that are filled
  std::uint32_t columns;  // with a queen
  std::uint32_t rising;   // attacked in the next row along one diagonal
  std::uint32_t falling;  // and along the other
};

using lamellar::work_order::lifo;  // in depth first: few boards wait at a time

lamellar::task<int> body(lamellar::world& world, std::uint32_t n, std::uint64_t expected) {
  const auto boards = co_await lamellar::work_queue<board, lifo>::create(world);
  if (world.me().index() == 0) boards.push({0, 0, 0, 0});

  std::atomic<std::uint64_t> mine = 0;  // the threads of a PE may process side by side
  const auto add_row = [&](const board& b, lamellar::more_work<board, lifo>& more) {
    if (b.rows == n) {
      ++mine;
      return;
    }
    for (std::uint32_t column = 1; column < 1U << n; column <<= 1) {
      if (((b.columns | b.rising | b.falling) & column) == 0) {
        more.push({b.rows + 1, b.columns | column, (b.rising | column) << 1,
                   (b.falling | column) >> 1});
      }
    }
  };
  const std::uint64_t processed = co_await boards.process(add_row);

  const std::uint64_t found = co_await lamellar::all_reduce(world, mine.load());
  const auto shares = co_await lamellar::all_gather(world, processed);
  if (world.me().index() == 0) {
    fmt::print("{} queens can be placed in {} ways\n", n, found);
    for (std::size_t pe = 0; pe < shares.size(); ++pe) {
      fmt::print("PE {} has processed {} boards\n", pe, shares[pe]);
    }
  }
  co_return expected == 0 || found == expected ? 0 : 1;
}

int main(int argc, char** argv) {
  const auto n = argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 9;
  if (n < 1 || n > 16) {
    fmt::print("Usage: work_queue [N]\nPlace N queens, 1 to 16 (9).\n");
    return 2;
  }
  return lamellar::run(
      argc, argv, [n](lamellar::world& world) { return body(world, n, n == 9 ? 352 : 0); });
}
