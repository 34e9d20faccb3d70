// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/sketch.hpp>
#include <limits>
#include <string_view>
#include <vector>

// count_min<T>: how often an item was inserted: never less than that, and rarely much more. Of
// n insertions in all an estimate is too large by more than error * n with a probability of
// less than `risk`.
//
// Source: Cormode, Muthukrishnan, "An improved data stream summary: the count-min sketch and
// its applications", 2005.
//
// Thread-safety: a value.
namespace lamellar {

template <class T, hash_of<T> Hash = hash<T>>
class count_min {
 public:
  using value_type = T;
  static constexpr std::string_view kind = "count_min";

  /// `rows` rows of `columns` counters of 8 bytes. Throws: error, if there are none.
  explicit count_min(std::size_t columns = 2719, std::size_t rows = 5)
      : columns_{columns}, counts_(columns * rows) {
    if (counts_.empty()) {
      detail::refuse_size("count_min", "columns and rows, 1 or more", 0);
    }
  }
  /// One with this error and risk.
  static count_min size_for(double error, double risk = 0.01) {
    if (!(error > 0 && error < 1)) {
      detail::refuse_size("count_min", "an error between 0 and 1", error);
    }
    if (!(risk > 0 && risk < 1)) {
      detail::refuse_size("count_min", "a risk between 0 and 1", risk);
    }
    return count_min{static_cast<std::size_t>(std::ceil(std::exp(1.0) / error)),
                     static_cast<std::size_t>(std::ceil(std::log(1 / risk)))};
  }

  /// Count an item `times` times. Cost: a hash and a counter for each row.
  void insert(const T& item, std::uint64_t times = 1) {
    for (std::size_t row = 0; row < rows(); ++row) {
      counts_[place(item, row)] += times;
    }
    total_ += times;
  }
  /// Let this be the sketch of both. Throws: sketch_mismatch, if the sizes differ.
  void merge(const count_min& other) {
    if (columns_ != other.columns_ || counts_.size() != other.counts_.size()) {
      detail::refuse_merge("count_min", counts_.size(), other.counts_.size());
    }
    for (std::size_t k = 0; k < counts_.size(); ++k) {
      counts_[k] += other.counts_[k];
    }
    total_ += other.total_;
  }
  /// About how often it has come; at least as often as it has.
  std::uint64_t estimate(const T& item) const {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t row = 0; row < rows(); ++row) {
      least = std::min(least, counts_[place(item, row)]);
    }
    return least;
  }
  /// How often anything has come; exact.
  std::uint64_t total() const { return total_; }
  std::size_t rows() const { return counts_.size() / columns_; }
  std::size_t columns() const { return columns_; }
  std::size_t bytes() const { return counts_.size() * sizeof(std::uint64_t); }

  template <class Archive>
  void serialize(Archive& by) {
    by(columns_, counts_, total_);
  }
  friend bool operator==(const count_min&, const count_min&) = default;

 private:
  std::size_t place(const T& item, std::size_t row) const {
    return row * columns_ + detail::sketch_hash<T, Hash>(item, row) % columns_;
  }

  std::size_t columns_;
  std::vector<std::uint64_t> counts_;  // row by row
  std::uint64_t total_ = 0;
};

}  // namespace lamellar
