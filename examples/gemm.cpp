// SPDX-License-Identifier: BSD-3-Clause
// A matrix product C = A * B in three ways: by one PE alone, by active messages that bring
// tiles to the owners of tiles of C, and with arrays of tiles, whose owners get what they need.
#include <fmt/format.h>

#include <functional>
#include <lamellar/lamellar.hpp>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

constexpr std::size_t side = 16;   // rows and columns of a tile
constexpr std::size_t across = 4;  // tiles in a row and in a column
constexpr std::size_t order = side * across;

using tile = std::vector<double>;                  // row after row
using spot = std::pair<std::size_t, std::size_t>;  // of a tile among the tiles
using function = double (*)(std::size_t row, std::size_t column);

// Small whole numbers: sums of products are exact in any order.
double a_at(std::size_t r, std::size_t c) { return static_cast<double>((3 * r + c) % 11); }
double b_at(std::size_t r, std::size_t c) { return static_cast<double>((r + 5 * c) % 7); }

// The square of n rows from (row, column) on.
tile square(std::size_t row, std::size_t column, std::size_t n, function value_at) {
  tile made;
  for (std::size_t i = 0; i < n * n; ++i) {
    made.push_back(value_at(row + i / n, column + i % n));
  }
  return made;
}
tile make_tile(spot at, function value_at) {
  return square(at.first * side, at.second * side, side, value_at);
}

// c += a * b, all squares of n rows.
void multiply(std::span<const double> a, std::span<const double> b, std::span<double> c,
              std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
}

// The active messages: tiles are dealt out in turn.
std::uint32_t owner_of(spot at, std::uint32_t pes) {
  return static_cast<std::uint32_t>(at.first * across + at.second) % pes;
}

// What a PE has received, and its tiles of C.
struct tiles {
  std::map<spot, tile> a, b, c;
};

// Bring a tile of A or of B to a PE. Whichever tile of a pair comes second is multiplied with
// the first. Handlers of one darc run one at a time on a PE, so nothing is locked.
struct bring {
  void operator()(tiles& mine, bool of_a, spot at, const tile& values) const {
    (of_a ? mine.a : mine.b)[at] = values;
    for (auto& [result, sum] : mine.c) {
      const spot left{result.first, of_a ? at.second : at.first};
      const spot right{left.second, result.second};
      if ((of_a ? left : right) == at && mine.a.contains(left) && mine.b.contains(right)) {
        multiply(mine.a[left], mine.b[right], sum, side);
      }
    }
  }
};

lamellar::task<std::map<spot, tile>> by_messages(lamellar::world& world) {
  const std::uint32_t pes = world.size();
  const std::uint32_t me = world.me().index();
  const auto all = co_await lamellar::darc<tiles>::create(world);
  for (std::size_t t = 0; t < across * across; ++t) {
    const spot at{t / across, t % across};
    if (owner_of(at, pes) == me) all->c[at] = tile(side * side);
  }
  co_await world.barrier();

  // A tile of A goes to the owners of that row of C, one of B to those of that column.
  for (std::size_t t = 0; t < across * across; ++t) {
    const spot at{t / across, t % across};
    if (owner_of(at, pes) != me) continue;
    std::set<std::uint32_t> row, column;
    for (std::size_t k = 0; k < across; ++k) {
      row.insert(owner_of({at.first, k}, pes));
      column.insert(owner_of({k, at.second}, pes));
    }
    for (auto to : row) all.send(world.at(to), bring{}, true, at, make_tile(at, a_at));
    for (auto to : column) all.send(world.at(to), bring{}, false, at, make_tile(at, b_at));
  }
  co_await world.quiesce();
  co_return all->c;
}

// The arrays: PE 0 fills A and B, and owners of tiles of C get what they need.
using matrix = lamellar::array_2d<double, lamellar::access::unsafe>;

lamellar::task<matrix> by_arrays(lamellar::world& world) {
  const lamellar::by_tiles cut{side, side};
  const auto a = co_await matrix::create(world, order, order, cut);
  const auto b = co_await matrix::create(world, order, order, cut);
  const auto c = co_await matrix::create(world, order, order, cut);
  if (world.me().index() == 0) {
    co_await a.put_tile(0, 0, order, order, square(0, 0, order, a_at));
    co_await b.put_tile(0, 0, order, order, square(0, 0, order, b_at));
  }
  co_await world.barrier();
  tile left(side * side), right(side * side);
  for (std::size_t k = 0; k < c.local_tile_count(); ++k) {
    const auto sum = c.local_tile(k);
    for (std::size_t step = 0; step < order; step += side) {
      co_await a.get_tile(sum.first_row(), step, side, side, left);
      co_await b.get_tile(step, sum.first_column(), side, side, right);
      multiply(left, right, {sum.data(), side * side}, side);
    }
  }
  co_await world.barrier();
  co_return c;
}

lamellar::task<int> body(lamellar::world& world) {
  tile expected(order * order);
  multiply(square(0, 0, order, a_at), square(0, 0, order, b_at), expected, order);
  const auto sent = co_await by_messages(world);
  const auto got = co_await by_arrays(world);

  // What the PEs have of one and of the other result.
  bool right = true;
  for (const auto& [at, values] : sent) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t row = at.first * side + i / side;
      right = right && values[i] == expected[row * order + at.second * side + i % side];
    }
  }
  tile whole(order * order);
  co_await got.get_tile(0, 0, order, order, whole);
  right =
      co_await lamellar::all_reduce(world, right && whole == expected, std::logical_and<>{});
  if (world.me().index() == 0) {
    fmt::print("{0} x {0} in tiles of {1} x {1}, by messages and by arrays: {2}\n", order, side,
               right ? "right" : "wrong");
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
