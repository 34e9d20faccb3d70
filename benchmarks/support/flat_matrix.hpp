// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mixed.hpp"

// A square matrix in which each place has an entry with the same probability, as bale's `flat`
// matrices and graphs (after Erdős and Rényi) are. A row is a pure function of its number, so
// that any PE makes any row.
//
// Source: Batagelj, Brandes, "Efficient generation of large random networks", 2005.
// Thread-safety: constant.
namespace lamellar::benchmark {

class flat_matrix {
 public:
  /// `per_row`: the mean number of entries. Requires: 0 < per_row <= size / 2, size < 2^32.
  flat_matrix(std::uint64_t size, double per_row, std::uint64_t seed)
      : size_{size},
        seed_{mixed(seed)},
        scale_{1 / std::log1p(-per_row / static_cast<double>(size))} {}

  std::uint64_t size() const { return size_; }

  /// f(column) of the entries of row i, the first columns left out, in order.
  template <class F>
  void for_row(std::uint64_t i, F f, std::uint64_t from = 0) const {
    std::uint64_t random = mixed(seed_ + i);
    for (std::uint64_t column = from;; ++column) {
      random = mixed(random);
      const double skipped = std::log(fraction_of(random)) * scale_;
      if (skipped >= static_cast<double>(size_ - std::min(size_, column))) return;
      column += static_cast<std::uint64_t>(skipped);
      f(column);
    }
  }
  /// The value at a place that has an entry: above 0, at most 1.
  double value_at(std::uint64_t i, std::uint64_t column) const {
    return fraction_of(mixed(seed_ ^ (i * size_ + column)));
  }

 private:
  std::uint64_t size_;
  std::uint64_t seed_;
  double scale_;
};

/// Such a matrix, or the edges of a graph with weights, in the memory of one PE: for what one
/// thread does by itself, to compare with.
struct plain_matrix {
  using index = std::uint32_t;

  plain_matrix() = default;
  /// `from(i)`: the first column of row i that counts.
  template <class From>
  plain_matrix(const flat_matrix& of, From from) {
    for (std::uint64_t i = 0; i < of.size(); ++i) {
      of.for_row(
          i,
          [&](std::uint64_t column) {
            columns.push_back(static_cast<index>(column));
            values.push_back(of.value_at(i, column));
          },
          from(i));
      begins.push_back(columns.size());
    }
  }
  explicit plain_matrix(const flat_matrix& of)
      : plain_matrix{of, [](std::uint64_t) { return std::uint64_t{0}; }} {}

  std::size_t rows() const { return begins.size() - 1; }
  std::span<const index> row(std::size_t i) const {
    return {columns.data() + begins[i], begins[i + 1] - begins[i]};
  }
  std::span<const double> values_of(std::size_t i) const {
    return {values.data() + begins[i], begins[i + 1] - begins[i]};
  }

  std::vector<std::uint64_t> begins{0};  // of each row, and the number of all
  std::vector<index> columns;
  std::vector<double> values;
};

/// Rows and columns exchanged: entries are counted by columns, and put where they belong.
inline plain_matrix transposed(const plain_matrix& of) {
  plain_matrix made;
  made.begins.assign(of.rows() + 1, 0);
  for (const auto column : of.columns) ++made.begins[column + std::size_t{1}];
  for (std::size_t i = 0; i < of.rows(); ++i) made.begins[i + 1] += made.begins[i];
  made.columns.resize(of.columns.size());
  made.values.resize(of.values.size());
  auto next = made.begins;
  for (std::size_t i = 0; i < of.rows(); ++i) {
    for (std::uint64_t k = of.begins[i]; k < of.begins[i + 1]; ++k) {
      const std::uint64_t to = next[of.columns[k]]++;
      made.columns[to] = static_cast<plain_matrix::index>(i);
      if (!of.values.empty()) made.values[to] = of.values[k];
    }
  }
  return made;
}

}  // namespace lamellar::benchmark
