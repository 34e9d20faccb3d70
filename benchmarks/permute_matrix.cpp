// SPDX-License-Identifier: BSD-3-Clause
//
// permute_matrix: what does it cost to bring the rows and the columns of a distributed sparse
// matrix into another order? Beside it stands one thread that does it with all of the matrix.

#include <cstdint>
#include <lamellar/containers/sparse_matrix.hpp>
#include <lamellar/substrate/world.hpp>

#include "support/matrix_benchmark.hpp"

namespace lamellar::benchmark {
namespace {

/// By one thread; what a row has is not in order.
plain_matrix permuted(const plain_matrix& of, const permutation& rows,
                      const permutation& columns) {
  plain_matrix made;
  made.begins.reserve(of.rows() + 1);
  made.columns.reserve(of.columns.size());
  made.values.reserve(of.values.size());
  for (const std::uint64_t i : rows.from) {
    for (std::uint64_t k = of.begins[i]; k < of.begins[i + 1]; ++k) {
      made.columns.push_back(static_cast<plain_matrix::index>(columns.to[of.columns[k]]));
      made.values.push_back(of.values[k]);
    }
    made.begins.push_back(made.columns.size());
  }
  return made;
}

class permuting {
 public:
  permuting(world& w, const matrix_settings& set)
      : world_{w},
        flat_{set.matrix(w)},
        rows_{flat_.size(), 2},
        columns_{flat_.size(), 3},
        matrix_{distributed(w, flat_, set.common.sabotage)},
        alone_{w.me() == pe(0) ? plain_matrix{flat_} : plain_matrix{}} {}

  double serially() {
    plain_matrix made;
    const double seconds =
        seconds_on_first(world_, [&] { made = permuted(alone_, rows_, columns_); });
    right_ = right_ && made.columns.size() == alone_.columns.size();
    return seconds;
  }
  double together() {
    sparse_matrix<double> moved;
    const double seconds = seconds_together(
        world_, [&] { moved = matrix_.permute(share(rows_.to), share(columns_.to)).get(); });
    for (const std::uint64_t i : moved.local_rows()) {
      for (const auto& each : moved.row(i)) {
        right_ =
            right_ && each.value == flat_.value_at(rows_.from[i], columns_.from[each.column]);
      }
    }
    const auto back = moved.permute(share(rows_.from), share(columns_.from)).get();
    right_ = same_rows(back, flat_) && right_;
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t entries() const { return matrix_.entries(); }

 private:
  std::span<const std::uint64_t> share(const std::vector<std::uint64_t>& of) const {
    return permutation::share(of, matrix_.row_layout(), world_.me().index());
  }

  world& world_;
  flat_matrix flat_;
  permutation rows_;
  permutation columns_;
  sparse_matrix<double> matrix_;
  plain_matrix alone_;  // on PE 0
  bool right_ = true;
};

void measure(world& w, const matrix_settings& set, report* out) {
  set.check(w);
  permuting work{w, set};
  measure_entries(w, set, out, "permute_matrix", "serial_permute", work);
}

constexpr const char* problem =
    "bale's permute_matrix: a square sparse matrix of doubles, in which each place has an\n"
    "entry with the same probability, and the one whose rows and columns are in random "
    "orders.";
constexpr const char* metric =
    "entries per second, all PEs together; bale_seconds is what bale prints. The limit is one\n"
    "thread of PE 0 with all of the matrix, in 32-bit rows that it leaves unordered. Each\n"
    "value of the result is compared with what it must be, and the result, permuted back, "
    "with\n"
    "the matrix.";

int main(int argc, char** argv) {
  matrix_settings set{{}, 100'000, 10};
  command_line command("permute_matrix", problem, metric);
  set.add_to(command);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
