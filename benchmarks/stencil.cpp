// SPDX-License-Identifier: BSD-3-Clause
//
// stencil: how fast do all PEs do the sweeps of Jacobi's method, in which every point of a grid
// becomes the mean of its four neighbours? Beside it stands one thread that does it alone.

#include <cstdint>
#include <lamellar/containers/array_2d.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <utility>
#include <vector>

#include "support/by_turns.hpp"
#include "support/mixed.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t side = 2048;
  std::uint64_t sweeps = 20;
};

using grid = array_2d<double, access::unsafe>;

/// A row of the next sweep from three rows of this one; the ends stay.
void relax(std::span<const double> above, std::span<const double> row,
           std::span<const double> below, std::span<double> next) {
  const std::size_t last = row.size() - 1;
  next[0] = row[0];
  next[last] = row[last];
  for (std::size_t c = 1; c < last; ++c) {
    next[c] = (above[c] + below[c] + row[c - 1] + row[c + 1]) / 4;
  }
}

// ---- the kernel -----------------------------------------------------------------------------

/// A sweep over the rows that are here: the row above and the row below come from those who own
/// them.
void sweep_own_rows(const grid& now, const grid& next) {
  if (now.local_tile_count() == 0) return;
  const auto here = now.local_tile(0);
  const auto result = next.local_tile(0);
  const std::size_t end = here.first_row() + here.rows();
  std::vector<double> above(now.columns());
  std::vector<double> below(now.columns());
  auto first = now.get_row(here.first_row() - (here.first_row() > 0 ? 1 : 0), above);
  auto last = now.get_row(end - (end < now.rows() ? 0 : 1), below);
  first.get();
  last.get();
  for (std::size_t r = 0; r < here.rows(); ++r) {
    const std::size_t number = here.first_row() + r;
    if (number == 0 || number + 1 == now.rows()) continue;
    relax(r == 0 ? above : here.row(r - 1), here.row(r),
          r + 1 == here.rows() ? below : here.row(r + 1), result.row(r));
  }
}

// ---- the measurement ------------------------------------------------------------------------

class plates {
 public:
  plates(world& w, const settings& set)
      : world_{w},
        set_{set},
        now_{grid::create(w, set.side, set.side, by_rows{}).get()},
        next_{grid::create(w, set.side, set.side, by_rows{}).get()} {}

  double serially() {
    std::vector<double> now;
    for (std::uint64_t i = 0; i < set_.side * set_.side && world_.me() == pe(0); ++i) {
      now.push_back(start_at(i));
    }
    std::vector<double> next = now;
    const auto row = [this](std::vector<double>& of, std::size_t r) {
      return std::span{of}.subspan(r * set_.side, set_.side);
    };
    const double seconds = seconds_on_first(world_, [&] {
      for (std::uint64_t sweep = 0; sweep < set_.sweeps; ++sweep) {
        for (std::size_t r = 1; r + 1 < set_.side; ++r) {
          relax(row(now, r - 1), row(now, r), row(now, r + 1), row(next, r));
        }
        std::swap(now, next);
      }
    });
    expected_ = std::move(now);
    return seconds;
  }
  double together() {
    begin();
    const double seconds = seconds_together(world_, [&] {
      for (std::uint64_t sweep = 0; sweep < set_.sweeps; ++sweep) {
        sweep_own_rows(now_, next_);
        world_.barrier().get();  // all have read the old rows and written the new ones
        std::swap(now_, next_);
      }
    });
    if (world_.me() == pe(0)) {
      std::vector<double> found(expected_.size());
      now_.get_tile(0, 0, set_.side, set_.side, found).get();
      right_ = right_ && found == expected_;
    }
    world_.barrier().get();
    return seconds;
  }

  bool right() const { return right_; }

 private:
  static double start_at(std::uint64_t i) { return fraction_of(mixed(i)); }
  void begin() {
    for (const grid& each : {now_, next_}) {
      for (std::size_t k = 0; k < each.local_tile_count(); ++k) {
        const auto here = each.local_tile(k);
        for (std::size_t r = 0; r < here.rows(); ++r) {
          for (std::size_t c = 0; c < set_.side; ++c) {
            here(r, c) = start_at((here.first_row() + r) * set_.side + c);
          }
        }
        if (set_.common.sabotage && world_.me() == pe(0)) here(0, 0) += 1;
      }
    }
  }

  world& world_;
  const settings& set_;
  grid now_;
  grid next_;
  std::vector<double> expected_;  // on PE 0
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  plates work{w, set};
  measure_turns(w, set.common, out, "stencil", "serial_sweeps", work, [&](result& r) {
    r.operations = static_cast<double>(set.side * set.side * set.sweeps);
    r.unit = "points/s";
    r.parameters = {{"side", static_cast<std::int64_t>(set.side)},
                    {"sweeps", static_cast<std::int64_t>(set.sweeps)}};
  });
}

constexpr const char* problem =
    "Sweeps over a square of doubles, cut into a block of rows for each PE: every inner point\n"
    "becomes the mean of its four neighbours. In each sweep a PE gets the row above its own\n"
    "and the row below, and all meet at its end.";
constexpr const char* metric =
    "points per second, all PEs together: those of the square times sweeps. The limit is the\n"
    "same loop over all rows by one thread of PE 0. All points are compared, to the last "
    "digit.";

int main(int argc, char** argv) {
  settings set;
  command_line command("stencil", problem, metric);
  command.add_size("--side", set.side, "Rows and columns of all PEs", 3);
  command.add_size("--sweeps", set.sweeps, "Sweeps");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
