// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/sketch.hpp>
#include <limits>
#include <string_view>
#include <vector>

// hyperloglog<T>: how many distinct items were inserted, from 2^bits bytes, with a standard
// error of 1.04 / sqrt(2^bits), for any number up to 2^60.
//
// Source: Flajolet et al., "HyperLogLog", 2007; the estimate as in O. Ertl, "New cardinality
// estimation algorithms for HyperLogLog sketches", 2017, which needs no corrections.
//
// Thread-safety: a value.
namespace lamellar {

template <class T, hash_of<T> Hash = hash<T>>
class hyperloglog {
 public:
  using value_type = T;
  static constexpr std::string_view kind = "hyperloglog";

  /// 2^bits bytes. Throws: error, unless 4 <= bits <= 18.
  explicit hyperloglog(unsigned bits = 12) : bits_{bits} {
    if (bits < 4 || bits > 18) {
      detail::refuse_size("hyperloglog", "bits, 4 to 18", bits);
    }
    most_.resize(std::size_t{1} << bits);
  }
  /// One with this standard error, 0.002 or more.
  static hyperloglog size_for(double error) {
    const double bytes = 1.04 * 1.04 / (error * error);
    if (!(error > 0) || bytes > 1 << 18) {
      detail::refuse_size("hyperloglog", "an error, 0.0021 or more", error);
    }
    return hyperloglog{
        std::max(4U, static_cast<unsigned>(std::ceil(std::log2(std::max(bytes, 1.0)))))};
  }

  /// Cost: a hash, and a byte.
  void insert(const T& item) {
    const std::uint64_t h = detail::sketch_hash<T, Hash>(item);
    const std::uint64_t rest = h << bits_;
    const auto zeros = static_cast<unsigned>(
        rest == 0 ? 64 - bits_ : static_cast<unsigned>(std::countl_zero(rest)));
    std::uint8_t& most = most_[h >> (64 - bits_)];
    most = std::max(most, static_cast<std::uint8_t>(zeros + 1));
  }
  /// Let this be the sketch of both. Throws: sketch_mismatch, if the sizes differ.
  void merge(const hyperloglog& other) {
    if (bits_ != other.bits_) {
      detail::refuse_merge("hyperloglog", bits_, other.bits_);
    }
    for (std::size_t k = 0; k < most_.size(); ++k) {
      most_[k] = std::max(most_[k], other.most_[k]);
    }
  }
  /// About how many distinct items. Cost: a pass over the bytes.
  double estimate() const;

  double standard_error() const { return 1.04 / std::sqrt(static_cast<double>(most_.size())); }
  std::size_t bytes() const { return most_.size(); }

  template <class Archive>
  void serialize(Archive& by) {
    by(bits_, most_);
  }
  friend bool operator==(const hyperloglog&, const hyperloglog&) = default;

 private:
  unsigned bits_;
  std::vector<std::uint8_t> most_;  // by the first bits of a hash: zeros that followed, and 1
};

template <class T, hash_of<T> Hash>
double hyperloglog<T, Hash>::estimate() const {
  const unsigned q = 64 - bits_;
  std::vector<double> count(q + 2);
  for (const std::uint8_t each : most_) {
    ++count[each];
  }
  const auto m = static_cast<double>(most_.size());
  const auto sigma = [](double x) {
    if (x == 1.0) {
      return std::numeric_limits<double>::infinity();
    }
    double power = 1;
    double sum = x;
    for (double before = -1; sum != before;) {
      x *= x;
      before = sum;
      sum += x * power;
      power += power;
    }
    return sum;
  };
  const auto tau = [](double x) {
    if (x == 0.0 || x == 1.0) {
      return 0.0;
    }
    double power = 1;
    double sum = 1 - x;
    for (double before = -1; sum != before;) {
      x = std::sqrt(x);
      before = sum;
      power *= 0.5;
      sum -= (1 - x) * (1 - x) * power;
    }
    return sum / 3;
  };
  double z = m * tau(1 - count[q + 1] / m);
  for (unsigned k = q; k >= 1; --k) {
    z = 0.5 * (z + count[k]);
  }
  z += m * sigma(count[0] / m);
  return m * m / (2 * std::log(2.0)) / z;
}

}  // namespace lamellar
