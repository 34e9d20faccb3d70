// SPDX-License-Identifier: BSD-3-Clause
//
// toposort: how fast do all PEs find orders of the rows and of the columns of a sparse matrix
// in which it is upper triangular? Beside it stands one thread that does it alone.

#include <cstdint>
#include <lamellar/containers/sparse_matrix.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <utility>
#include <vector>

#include "support/matrix_benchmark.hpp"

namespace lamellar::benchmark {
namespace {

using matrix = sparse_matrix<std::uint64_t>;
using places = std::vector<std::uint64_t>;

// ---- the kernel -----------------------------------------------------------------------------
//
// In rounds: a row that has one column left gets the last place that is free, and so does that
// column, which then leaves all rows. The number of a row's columns and the sum of them tell
// when it has one left, and which.

struct row_state {
  std::uint64_t columns = 0;  // that are left
  std::uint64_t sum = 0;      // of their numbers
};
struct column_place {
  std::uint64_t column;
  std::uint64_t place;
};
struct lost_column {
  std::uint64_t row;
  std::uint64_t column;
};

struct toposort_part {
  toposort_part(const matrix& a, matrix transposed)
      : turned{std::move(transposed)},
        rows_at{a.row_layout()},
        columns_at{a.column_layout()},
        me{a.members().position().index()} {
    for (const std::uint64_t i : a.local_rows()) {
      row_state& row = rows.emplace_back();
      for (const auto& each : a.row(i)) ++row.columns, row.sum += each.column;
      if (row.columns == 1) found.push_back(i);
    }
  }

  matrix turned;  // its rows are the columns
  layout::block rows_at;
  layout::block columns_at;
  std::uint32_t me;
  std::vector<row_state> rows;
  std::vector<std::uint64_t> found;  // the rows that have one column left since this round
  places row_places = places(part_size(rows_at, me));
  places column_places = places(part_size(columns_at, me));
  const darc<toposort_part>* all = nullptr;  // the body's, which waits for all messages
};

struct lose_columns {
  void operator()(toposort_part& mine, std::span<const lost_column> lost) const {
    for (const auto& [i, column] : lost) {
      row_state& row = mine.rows[i - mine.rows_at.first(mine.me)];
      if (row.columns == 1) continue;  // its own column
      row.sum -= column;
      if (--row.columns == 1) mine.found.push_back(i);
    }
  }
  static const void* address(const toposort_part& mine, const lost_column& lost) {
    return &mine.rows[lost.row - mine.rows_at.first(mine.me)];
  }
};
struct leave_rows {
  void operator()(toposort_part& mine, std::span<const column_place> placed) const {
    for (const auto& [column, place] : placed) {
      mine.column_places[column - mine.columns_at.first(mine.me)] = place;
      const auto row_of = [&mine, column = column](const auto& entry) {
        return routed<lost_column>{static_cast<std::uint32_t>(mine.rows_at.owner(entry.column)),
                                   {entry.column, column}};
      };
      mine.all->send_each(lose_columns{}, mine.turned.row(column), row_of);
    }
  }
};

/// The places of this PE's rows, and those of its columns. Collective.
std::pair<places, places> toposort(world& w, const matrix& a, const matrix& turned) {
  const auto all = darc<toposort_part>::create(w, a, turned).get();
  toposort_part& mine = *all;
  mine.all = &all;
  std::uint64_t free = a.rows();
  for (;;) {
    const std::vector<std::uint64_t> found = std::exchange(mine.found, {});
    const std::uint64_t before = exclusive_scan(w, found.size(), std::size_t{0}).get();
    const std::uint64_t in_all = all_reduce(w, found.size()).get();
    if (in_all == 0) return {std::move(mine.row_places), std::move(mine.column_places)};
    all.send_each(leave_rows{}, found.size(), [&](std::size_t k) {
      const std::uint64_t row = found[k] - mine.rows_at.first(mine.me);
      const std::uint64_t column = mine.rows[row].sum;
      mine.row_places[row] = free - 1 - before - k;
      return routed<column_place>{static_cast<std::uint32_t>(mine.columns_at.owner(column)),
                                  {column, mine.row_places[row]}};
    });
    w.quiesce().get();
    free -= in_all;
  }
}

// ---- the same by one thread -----------------------------------------------------------------

std::pair<places, places> serial_toposort(const plain_matrix& a, const plain_matrix& turned) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> left(a.rows());  // columns, their sum
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < a.rows(); ++i) {
    for (const auto column : a.row(i)) ++left[i].first, left[i].second += column;
    if (left[i].first == 1) found.push_back(i);
  }
  places rows(a.rows());
  places columns(a.rows());
  for (std::size_t k = 0; k < found.size(); ++k) {
    const std::uint64_t column = left[found[k]].second;
    rows[found[k]] = columns[column] = a.rows() - 1 - k;
    for (const auto i : turned.row(column)) {
      if (left[i].first == 1) continue;
      left[i].second -= column;
      if (--left[i].first == 1) found.push_back(i);
    }
  }
  return {std::move(rows), std::move(columns)};
}

// ---- the measurement ------------------------------------------------------------------------

class orders {
 public:
  orders(world& w, const matrix_settings& set)
      : world_{w},
        upper_{set.rows * w.size(), 2 * static_cast<double>(set.per_row - 1), 1},
        rows_{upper_.size(), 2},
        columns_{upper_.size(), 3},
        matrix_{matrix::create(w, upper_.size(), upper_.size()).get()},
        sabotage_{set.common.sabotage} {
    for (const std::uint64_t i : matrix_.local_rows()) {
      for_row(i, [&](std::uint64_t column) { matrix_.add(i, column, 1); });
    }
    matrix_.assemble().get();
    turned_ = matrix_.transpose().get();
    if (w.me() != pe(0)) return;
    for (std::uint64_t i = 0; i < upper_.size(); ++i) {
      for_row(i, [&](std::uint64_t column) {
        alone_.columns.push_back(static_cast<plain_matrix::index>(column));
      });
      alone_.begins.push_back(alone_.columns.size());
    }
    alone_turned_ = transposed(alone_);
  }

  double serially() {
    std::pair<places, places> found;
    const double seconds =
        seconds_on_first(world_, [&] { found = serial_toposort(alone_, alone_turned_); });
    for (std::size_t i = 0; i < alone_.rows(); ++i) {
      for (const auto column : alone_.row(i)) {
        right_ = right_ && found.first[i] <= found.second[column];
      }
    }
    return seconds;
  }
  double together() {
    std::pair<places, places> found;
    const double seconds =
        seconds_together(world_, [&] { found = toposort(world_, matrix_, turned_); });
    if (sabotage_ && world_.me() == pe(0)) std::swap(found.first.at(0), found.first.at(1));
    // Upper triangular, and something in every place of the diagonal: so no place is missing.
    const matrix ordered = matrix_.permute(found.first, found.second).get();
    for (const std::uint64_t i : ordered.local_rows()) {
      const auto row = ordered.row(i);
      right_ = right_ && !row.empty() && row.front().column == i;
    }
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t entries() const { return matrix_.entries(); }

 private:
  /// Of the matrix in its random order.
  template <class F>
  void for_row(std::uint64_t i, F f) const {
    const std::uint64_t was = rows_.from[i];
    f(columns_.to[was]);
    upper_.for_row(
        was, [&](std::uint64_t column) { f(columns_.to[column]); }, was + 1);
  }

  world& world_;
  flat_matrix upper_;
  permutation rows_;
  permutation columns_;
  matrix matrix_;
  matrix turned_;
  plain_matrix alone_;  // on PE 0, without values, as the other
  plain_matrix alone_turned_;
  bool sabotage_;
  bool right_ = true;
};

void measure(world& w, const matrix_settings& set, report* out) {
  set.check(w);
  orders work{w, set};
  measure_entries(w, set, out, "toposort", "serial_toposort", work);
}

constexpr const char* problem =
    "bale's toposort: a sparse matrix that was upper triangular, with a full diagonal, until\n"
    "its rows and its columns were put into random orders. Find such orders again.";
constexpr const char* metric =
    "entries per second, all PEs together; bale_seconds is what bale prints. The transpose is\n"
    "there before, as in bale; places are found without regard to the values. The limit is "
    "one\n"
    "thread of PE 0 with all of the matrix. The matrix is put into the orders that were "
    "found,\n"
    "and looked at.";

int main(int argc, char** argv) {
  matrix_settings set{{}, 100'000, 10};
  command_line command("toposort", problem, metric);
  set.add_to(command);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
