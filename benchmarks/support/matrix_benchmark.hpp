// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <lamellar/containers/sparse_matrix.hpp>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "by_turns.hpp"
#include "flat_matrix.hpp"

// What benchmarks of flat random matrices and graphs have in common, which bale measures too:
// rows of each PE, entries of each row.
//
// Thread-safety: the main thread of each PE.
namespace lamellar::benchmark {

struct matrix_settings {
  options common;
  std::uint64_t rows;  // of each PE
  std::uint64_t per_row;

  void add_to(command_line& command) {
    command.add_size("--rows", rows, "Rows of each PE");
    command.add_size("--per-row", per_row, "Entries of a row, on average");
  }
  /// Throws: std::invalid_argument, if there is no such matrix.
  void check(const world& w) const {
    if (rows * w.size() >> 31 != 0 || per_row < 2 || per_row * 4 > rows * w.size()) {
      throw std::invalid_argument(fmt::format(
          "--rows {} --per-row {}: at most 2^31 rows of all PEs, at least 2 entries a row and "
          "at most a quarter of its places",
          rows, per_row));
    }
  }
  flat_matrix matrix(const world& w) const {
    return {rows * w.size(), static_cast<double>(per_row), 1};
  }
};

/// A random order of the numbers below n, the same on all PEs; and what undoes it.
struct permutation {
  permutation(std::uint64_t n, std::uint64_t seed) : to(n), from(n) {
    std::iota(to.begin(), to.end(), std::uint64_t{0});
    std::mt19937_64 random{seed};
    for (std::uint64_t k = n; k > 1; --k) std::swap(to[k - 1], to[random() % k]);
    for (std::uint64_t k = 0; k < n; ++k) from[to[k]] = k;
  }
  /// What the PE has of a list that lies as the rows do.
  static std::span<const std::uint64_t> share(const std::vector<std::uint64_t>& of,
                                              const layout::block& how, std::uint32_t me) {
    return std::span{of}.subspan(how.first(me), part_size(how, me));
  }

  std::vector<std::uint64_t> to;
  std::vector<std::uint64_t> from;
};

/// Make a distributed matrix of a flat one. With `spoilt`, an entry of PE 0 has a wrong value.
/// Collective.
inline sparse_matrix<double> distributed(world& w, const flat_matrix& flat, bool spoilt) {
  const auto made = sparse_matrix<double>::create(w, flat.size(), flat.size()).get();
  std::vector<matrix_entry<double>> entries;
  for (const std::uint64_t i : made.local_rows()) {
    flat.for_row(i, [&](std::uint64_t column) {
      entries.push_back({i, column, flat.value_at(i, column)});
    });
  }
  if (spoilt && w.me() == pe(0)) entries.at(0).value += 1;
  made.add(entries);
  made.assemble().get();
  return made;
}

/// Whether the rows that are here are those of the flat matrix.
inline bool same_rows(const sparse_matrix<double>& found, const flat_matrix& flat) {
  bool right = true;
  for (const std::uint64_t i : found.local_rows()) {
    const auto row = found.row(i);
    std::size_t k = 0;
    flat.for_row(i, [&](std::uint64_t column) {
      right = right && k < row.size() && row[k].column == column &&
              row[k].value == flat.value_at(i, column);
      ++k;
    });
    right = right && k == row.size();
  }
  return right;
}

/// measure_turns() of entries of such a matrix, all of them. Collective.
template <class Work>
void measure_entries(world& w, const matrix_settings& set, report* out, std::string name,
                     const char* limit, Work& work) {
  measure_turns(w, set.common, out, std::move(name), limit, work, [&](result& r) {
    r.operations = static_cast<double>(work.entries());
    r.unit = "entries/s";
    r.parameters = {{"rows", static_cast<std::int64_t>(set.rows)},
                    {"per_row", static_cast<std::int64_t>(set.per_row)},
                    {"bale_seconds", r.seconds.median}};
  });
}

}  // namespace lamellar::benchmark
