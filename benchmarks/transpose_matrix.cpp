// SPDX-License-Identifier: BSD-3-Clause
//
// transpose_matrix: what does it cost to exchange rows and columns of a distributed sparse
// matrix? Beside it stands one thread that does it with all of the matrix.

#include <cstdint>
#include <lamellar/containers/sparse_matrix.hpp>

#include "support/matrix_benchmark.hpp"

namespace lamellar::benchmark {
namespace {

class transposing {
 public:
  transposing(world& w, const matrix_settings& set)
      : world_{w},
        flat_{set.matrix(w)},
        matrix_{distributed(w, flat_, set.common.sabotage)},
        alone_{w.me() == pe(0) ? plain_matrix{flat_} : plain_matrix{}} {}

  double serially() {
    plain_matrix made;
    const double seconds = seconds_on_first(world_, [&] { made = transposed(alone_); });
    right_ = right_ && made.columns.size() == alone_.columns.size();
    return seconds;
  }
  double together() {
    sparse_matrix<double> turned;
    const double seconds =
        seconds_together(world_, [&] { turned = matrix_.transpose().get(); });
    for (const std::uint64_t i : turned.local_rows()) {
      for (const auto& each : turned.row(i)) {
        right_ = right_ && each.value == flat_.value_at(each.column, i);
      }
    }
    right_ = same_rows(turned.transpose().get(), flat_) && right_;
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t entries() const { return matrix_.entries(); }

 private:
  world& world_;
  flat_matrix flat_;
  sparse_matrix<double> matrix_;
  plain_matrix alone_;  // on PE 0
  bool right_ = true;
};

void measure(world& w, const matrix_settings& set, report* out) {
  set.check(w);
  transposing work{w, set};
  measure_entries(w, set, out, "transpose_matrix", "serial_transpose", work);
}

constexpr const char* problem =
    "bale's transpose_matrix: a square sparse matrix of doubles, in which each place has an\n"
    "entry with the same probability, and its transpose, with rows in order.";
constexpr const char* metric =
    "entries per second, all PEs together; bale_seconds is what bale prints. The limit is one\n"
    "thread of PE 0 with all of the matrix, in 32-bit rows. Each value of the result is\n"
    "compared with what it must be, and the transpose of the result with the matrix.";

int main(int argc, char** argv) {
  matrix_settings set{{}, 200'000, 10};
  command_line command("transpose_matrix", problem, metric);
  set.add_to(command);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
