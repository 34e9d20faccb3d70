// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

// Seconds: how they are taken, and how repetitions are put together. A benchmark reports the
// median of its repetitions with the smallest and the largest beside it; nothing is left out
// but the warm-up.
//
// Thread-safety: plain values; each thread has its own.

namespace lamellar::benchmark {

/// Measure wall time from construction on.
class stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// What is reported of the seconds of all repetitions.
struct summary {
  double median = 0;
  double min = 0;
  double max = 0;
};

/// Put repetitions together. With an even number, the median is the mean of the middle two.
///
/// Cost: O(n log n). Requires: at least one sample. Throws: nothing.
inline summary summarise(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const std::size_t middle = samples.size() / 2;
  const double upper = samples[middle];
  const double lower = samples[(samples.size() - 1) / 2];
  return {(lower + upper) / 2, samples.front(), samples.back()};
}

/// The seconds of repetitions. The first one warms up, and does not count.
class samples {
 public:
  void add(double seconds) {
    if (std::exchange(warm_, true)) counted_.push_back(seconds);
  }
  const std::vector<double>& counted() const { return counted_; }
  /// Requires: two calls of add().
  double median() const { return summarise(counted_).median; }

 private:
  bool warm_ = false;
  std::vector<double> counted_;
};

/// Call `once()`, which returns seconds, one time for warming up and then `repetitions` times
/// that count.
template <class Once>
std::vector<double> repeat(unsigned repetitions, Once&& once) {
  once();
  std::vector<double> samples;
  for (unsigned k = 0; k < repetitions; ++k) samples.push_back(once());
  return samples;
}

}  // namespace lamellar::benchmark
