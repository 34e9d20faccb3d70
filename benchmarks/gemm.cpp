// SPDX-License-Identifier: BSD-3-Clause
//
// gemm: how fast do all PEs multiply dense matrices that are spread over them in tiles? Beside
// it stands one thread that multiplies the same tiles in its own memory.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/containers/array_2d.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/by_turns.hpp"
#include "support/mixed.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t order = 1024;
  std::uint64_t tile = 128;
};

using matrix = array_2d<double, access::unsafe>;
using numbers = std::vector<double>;

/// c += a b, all of them squares of n rows: four rows of b at a time, so that a row of c is
/// loaded and stored a quarter as often.
void multiply(const double* a, const double* b, double* c, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i, a += n, c += n) {
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) {
      const double* const row = b + k * n;
      for (std::size_t j = 0; j < n; ++j) {
        c[j] += a[k] * row[j] + a[k + 1] * row[n + j] + a[k + 2] * row[2 * n + j] +
                a[k + 3] * row[3 * n + j];
      }
    }
    for (; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) c[j] += a[k] * b[k * n + j];
    }
  }
}

// ---- the kernel -----------------------------------------------------------------------------

/// c = a b: the owner of a tile of c gets what it needs of a and of b, the next ones while it
/// multiplies those that it has.
void multiply(const matrix& a, const matrix& b, const matrix& c) {
  const std::size_t n = c.tile_rows();
  std::pair<numbers, numbers> now{numbers(n * n), numbers(n * n)};
  auto next = now;
  for (std::size_t k = 0; k < c.local_tile_count(); ++k) {
    const auto sum = c.local_tile(k);
    std::fill_n(sum.data(), n * n, 0.0);
    const auto get = [&](std::size_t step, std::pair<numbers, numbers>& into) {
      return std::pair{a.get_tile(sum.first_row(), step, n, n, into.first),
                       b.get_tile(step, sum.first_column(), n, n, into.second)};
    };
    auto under_way = get(0, next);
    for (std::size_t step = 0; step < c.columns(); step += n) {
      under_way.first.get();
      under_way.second.get();
      std::swap(now, next);
      if (step + n < c.columns()) under_way = get(step + n, next);
      multiply(now.first.data(), now.second.data(), sum.data(), n);
    }
  }
}

// ---- the measurement ------------------------------------------------------------------------

class products {
 public:
  products(world& w, const settings& set)
      : world_{w}, set_{set}, a_{make(2)}, b_{make(3)}, c_{make(0)} {
    if (w.me() != pe(0)) return;
    for (std::uint64_t i = 0; i < set.order * set.order; ++i) {
      alone_a_.push_back(value_at(2, i));
      alone_b_.push_back(value_at(3, i));
    }
  }

  double serially() {
    const std::uint64_t across = set_.order / set_.tile;
    const std::uint64_t tile = set_.tile * set_.tile;
    numbers c(alone_a_.size());
    return seconds_on_first(world_, [&] {
      for (std::uint64_t t = 0; t < across * across; ++t) {
        for (std::uint64_t k = 0; k < across; ++k) {
          multiply(&alone_a_[(t / across * across + k) * tile],
                   &alone_b_[(k * across + t % across) * tile], &c[t * tile], set_.tile);
        }
      }
    });
  }
  double together() {
    const double seconds = seconds_together(world_, [&] {
      multiply(a_, b_, c_);
      world_.barrier().get();
    });
    if (set_.common.sabotage && world_.me() == pe(0)) *c_.local_tile(0).data() += 1;
    ++round_;
    numbers x;
    for (std::uint64_t i = 0; i < set_.order; ++i) {
      x.push_back(static_cast<double>(1 + mixed(round_ * set_.order + i) % (1U << 20)));
    }
    // Freivalds' check. All numbers are whole, and sums exact.
    right_ = times(a_, times(b_, x)) == times(c_, x) && right_;
    return seconds;
  }

  bool right() const { return right_; }

 private:
  static double value_at(std::uint64_t seed, std::uint64_t i) {
    return static_cast<double>(mixed(mixed(seed) + i) % 16);
  }
  matrix make(std::uint64_t seed) const {
    const auto made =
        matrix::create(world_, set_.order, set_.order, by_tiles{set_.tile, set_.tile}).get();
    const auto here = made.elements().local();
    for (std::size_t k = 0; k < here.size(); ++k) {
      here[k] = value_at(seed, made.elements().global_index(k));
    }
    return made;
  }
  /// Collective.
  numbers times(const matrix& m, const numbers& x) const {
    numbers y(x.size());
    for (std::size_t k = 0; k < m.local_tile_count(); ++k) {
      const auto here = m.local_tile(k);
      for (std::size_t r = 0; r < here.rows(); ++r) {
        for (std::size_t c = 0; c < here.columns(); ++c) {
          y[here.first_row() + r] += here(r, c) * x[here.first_column() + c];
        }
      }
    }
    return all_reduce(world_, std::move(y),
                      [](numbers a, const numbers& b) {
                        std::transform(a.begin(), a.end(), b.begin(), a.begin(), std::plus<>{});
                        return a;
                      })
        .get();
  }

  world& world_;
  const settings& set_;
  matrix a_;
  matrix b_;
  matrix c_;
  numbers alone_a_;  // on PE 0, tile after tile
  numbers alone_b_;
  std::uint64_t round_ = 0;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  if (set.order % set.tile != 0 || set.order > 1 << 14) {
    throw std::invalid_argument(fmt::format(
        "--order {} --tile {}: at most 2^14, and a multiple of the tile", set.order, set.tile));
  }
  products work{w, set};
  measure_turns(w, set.common, out, "gemm", "serial_tiles", work, [&](result& r) {
    r.operations = 2 * static_cast<double>(set.order * set.order * set.order);
    r.unit = "flops/s";
    r.parameters = {{"order", static_cast<std::int64_t>(set.order)},
                    {"tile", static_cast<std::int64_t>(set.tile)}};
  });
}

constexpr const char* problem =
    "The product of two square matrices of doubles, cut into square tiles that are dealt out "
    "to\n"
    "the PEs. The owner of a tile of the product gets a row and a column of tiles.";
constexpr const char* metric =
    "additions and multiplications per second, all PEs together. The limit is one thread of "
    "PE\n"
    "0 that has all tiles, with the same loops, which know nothing of a processor. The product "
    "is\n"
    "checked by Freivalds' method: A (B x) = C x for a random x, another one each time.";

int main(int argc, char** argv) {
  settings set;
  command_line command("gemm", problem, metric);
  command.add_size("--order", set.order, "Rows and columns of a matrix");
  command.add_size("--tile", set.tile, "Rows and columns of a tile");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
