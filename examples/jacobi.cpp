// SPDX-License-Identifier: BSD-3-Clause
// Jacobi's method for the temperature of a plate: in each sweep every inner point becomes the
// mean of its four neighbours. Each PE has a block of rows, and gets the row above and the row
// below from those who own them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <lamellar/lamellar.hpp>
#include <span>
#include <utility>
#include <vector>

constexpr std::size_t rows = 41;
constexpr std::size_t columns = 30;
constexpr int sweeps = 100;

using grid = lamellar::array_2d<double, lamellar::access::unsafe>;

// At first; the edge stays as it is.
double start_at(std::size_t r, std::size_t c) {
  return r == 0 ? 100 : c == 0 ? 50 : r + 1 == rows ? -10 : 0;
}

// A row of the next sweep from three rows of this one.
void relax(std::span<const double> above, std::span<const double> row,
           std::span<const double> below, std::span<double> next) {
  for (std::size_t c = 1; c + 1 < columns; ++c) {
    next[c] = (above[c] + below[c] + row[c - 1] + row[c + 1]) / 4;
  }
}

// All sweeps by one PE alone.
std::vector<double> by_one() {
  std::vector<double> now(rows * columns);
  for (std::size_t i = 0; i < now.size(); ++i) now[i] = start_at(i / columns, i % columns);
  std::vector<double> next = now;
  const auto row = [](std::vector<double>& of, std::size_t r) {
    return std::span{of}.subspan(r * columns, columns);
  };
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::size_t r = 1; r + 1 < rows; ++r) {
      relax(row(now, r - 1), row(now, r), row(now, r + 1), row(next, r));
    }
    std::swap(now, next);
  }
  return now;
}

// A sweep over the rows that are here. A PE has one block of rows, or none.
lamellar::task<> sweep_own_rows(grid now, grid next) {
  std::vector<double> above(columns), below(columns);
  for (std::size_t k = 0; k < now.local_tile_count(); ++k) {
    const auto here = now.local_tile(k);
    const auto result = next.local_tile(k);
    const std::size_t end = here.first_row() + here.rows();
    if (here.first_row() > 0) co_await now.get_row(here.first_row() - 1, above);
    if (end < rows) co_await now.get_row(end, below);
    for (std::size_t r = 0; r < here.rows(); ++r) {
      if (here.first_row() + r == 0 || here.first_row() + r + 1 == rows) continue;
      relax(r == 0 ? above : here.row(r - 1), here.row(r),
            r + 1 == here.rows() ? below : here.row(r + 1), result.row(r));
    }
  }
}

lamellar::task<int> body(lamellar::world& world) {
  auto now = co_await grid::create(world, rows, columns, lamellar::by_rows{});
  auto next = co_await grid::create(world, rows, columns, lamellar::by_rows{});
  for (const grid& each : {now, next}) {
    for (std::size_t k = 0; k < each.local_tile_count(); ++k) {
      const auto here = each.local_tile(k);
      for (std::size_t r = 0; r < here.rows(); ++r) {
        for (std::size_t c = 0; c < columns; ++c)
          here(r, c) = start_at(here.first_row() + r, c);
      }
    }
  }
  co_await world.barrier();
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    co_await sweep_own_rows(now, next);
    co_await world.barrier();  // all have read the old rows and written the new ones
    std::swap(now, next);
  }

  const std::vector<double> expected = by_one();
  std::vector<double> found(rows * columns);
  co_await now.get_tile(0, 0, rows, columns, found);
  double error = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    error = std::max(error, std::abs(found[i] - expected[i]));
  }
  const bool right = co_await lamellar::all_reduce(world, error < 1e-12, std::logical_and<>{});
  if (world.me().index() == 0) {
    fmt::print("{} x {} points after {} sweeps, {:.3f} in the middle: {}\n", rows, columns,
               sweeps, found[rows / 2 * columns + columns / 2], right ? "right" : "wrong");
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
