// SPDX-License-Identifier: BSD-3-Clause
// A matrix product by tiles: each PE makes the tiles of C that it owns, from rows of tiles of A
// and columns of tiles of B that it gets from whoever owns them.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <vector>

constexpr std::size_t order = 50;  // rows and columns
constexpr std::size_t side = 16;   // of a tile; the last ones are cut

using matrix = lamellar::array_2d<double, lamellar::access::unsafe>;

double a_at(std::size_t r, std::size_t c) { return static_cast<double>(r + 2 * c); }
double b_at(std::size_t r, std::size_t c) { return r == c ? 2 : r + 1 == c ? 1 : 0; }

template <class F>
void fill(const matrix& m, F value_at) {
  for (std::size_t k = 0; k < m.local_tile_count(); ++k) {
    const auto tile = m.local_tile(k);
    for (std::size_t r = 0; r < tile.rows(); ++r) {
      for (std::size_t c = 0; c < tile.columns(); ++c) {
        tile(r, c) = value_at(tile.first_row() + r, tile.first_column() + c);
      }
    }
  }
}

lamellar::task<int> body(lamellar::world& world) {
  const auto a = co_await matrix::create(world, order, order, lamellar::by_tiles{side, side});
  const auto b = co_await matrix::create(world, order, order, lamellar::by_tiles{side, side});
  const auto c = co_await matrix::create(world, order, order, lamellar::by_tiles{side, side});
  fill(a, a_at);
  fill(b, b_at);
  co_await world.barrier();

  std::vector<double> left(side * order);
  std::vector<double> right(order * side);
  for (std::size_t k = 0; k < c.local_tile_count(); ++k) {
    const auto tile = c.local_tile(k);
    const auto rows = std::span{left}.first(tile.rows() * order);
    const auto columns = std::span{right}.first(order * tile.columns());
    co_await a.get_tile(tile.first_row(), 0, tile.rows(), order, rows);
    co_await b.get_tile(0, tile.first_column(), order, tile.columns(), columns);
    for (std::size_t i = 0; i < tile.rows(); ++i) {
      for (std::size_t j = 0; j < order; ++j) {
        for (std::size_t l = 0; l < tile.columns(); ++l) {
          tile(i, l) += rows[i * order + j] * columns[j * tile.columns() + l];
        }
      }
    }
  }
  co_await world.barrier();

  bool right_answer = true;
  std::vector<double> row(order);
  for (std::size_t r = 0; r < order; ++r) {
    co_await c.get_row(r, row);
    for (std::size_t k = 0; k < order; ++k) {
      const double before = k == 0 ? 0 : a_at(r, k - 1);
      right_answer = right_answer && row[k] == 2 * a_at(r, k) + before;
    }
  }
  if (world.me().index() == 0) {
    fmt::print("{} x {} elements in tiles of {} x {}: {}\n", order, order, side, side,
               right_answer ? "right" : "wrong");
  }
  co_await world.barrier();
  co_return right_answer ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
