// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

// Lists of places of a table, in several distributions.
namespace lamellar::benchmark {

/// Numbers 0, 1, ... n - 1 with probabilities proportional to 1 / (k + 1)^s: by inversion of an
/// integral that bounds them, and rejection. Constant time a number, no table.
///
/// Source: W. Hormann, G. Derflinger, "Rejection-inversion to generate variates from monotone
/// discrete distributions", 1996.
class zipf_distribution {
 public:
  zipf_distribution(std::uint64_t n, double s) : n_{static_cast<double>(n)}, s_{s} {
    low_ = integral(1.5) - 1;
    high_ = integral(n_ + 0.5);
    accept_ = 2 - inverse(integral(2.5) - std::pow(2, -s_));
  }
  template <class Random>
  std::uint64_t operator()(Random& random) {
    std::uniform_real_distribution<double> between{low_, high_};
    for (;;) {
      const double u = between(random);
      const double x = inverse(u);
      const double k = std::min(n_, std::max(1.0, std::floor(x + 0.5)));
      if (k - x <= accept_ || u >= integral(k + 0.5) - std::pow(k, -s_)) {
        return static_cast<std::uint64_t>(k) - 1;
      }
    }
  }

 private:
  double integral(double x) const {
    return s_ == 1 ? std::log(x) : (std::pow(x, 1 - s_) - 1) / (1 - s_);
  }
  double inverse(double y) const {
    return s_ == 1 ? std::exp(y) : std::pow(1 + y * (1 - s_), 1 / (1 - s_));
  }

  double n_;
  double s_;
  double low_ = 0;
  double high_ = 0;
  double accept_ = 0;
};

/// Fill `list` with places of a table of `words` words: "uniform", "zipf" (with exponent `s`;
/// frequent places are scattered over the table), or "one" (all to the first place).
///
/// Throws: std::invalid_argument for another name.
inline void fill_list(std::span<std::uint64_t> list, std::uint64_t words,
                      const std::string& input, double s, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  if (input == "uniform") {
    std::uniform_int_distribution<std::uint64_t> any{0, words - 1};
    for (std::uint64_t& each : list) each = any(random);
  } else if (input == "zipf") {
    zipf_distribution ranks{words, s};
    // Rank k goes to a place that is the same on all PEs and has nothing to do with k: an odd
    // multiple, modulo a power of two, until it falls into the table.
    std::uint64_t mask = 1;
    while (mask < words) mask *= 2;
    --mask;
    for (std::uint64_t& each : list) {
      std::uint64_t place = ranks(random);
      do {
        place = (place * 0x9e3779b97f4a7c15U + 0x632be5abU) & mask;
      } while (place >= words);
      each = place;
    }
  } else if (input == "one") {
    for (std::uint64_t& each : list) each = 0;
  } else {
    throw std::invalid_argument("--input " + input + ": choose uniform, zipf or one");
  }
}

}  // namespace lamellar::benchmark
