// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <mutex>
#include <optional>
#include <source_location>
#include <utility>
#include <vector>

// How many elements of a distributed range fall into each of some bins.
//
// Collective; functions as <lamellar/algorithms/elementwise.hpp> says. Threads: the body.
namespace lamellar {

/// counts[k]: for how many elements bin_of(element) is k; on every PE. Elements for which it is
/// `bins` or more count nowhere.
///
/// Cost: n/P, a quiesce, an all_reduce of the counts. Memory: the counts, for each thread.
/// Requires: the same number of bins everywhere.
template <distributed_range R, class F>
task<std::vector<std::uint64_t>> histogram(
    const R& range, std::size_t bins, F bin_of,
    std::source_location where = std::source_location::current());

/// A function for histogram(): numbers from `low` to below `high` in `count` bins of one width.
/// Others, and NaNs, have none.
struct even_bins {
  double low;
  double high;
  std::size_t count;

  template <class T>
  std::size_t operator()(const T& x) const {
    const double at = (static_cast<double>(x) - low) / (high - low);
    if (!(at >= 0 && at < 1)) {
      return count;
    }
    const auto bin = static_cast<std::size_t>(at * static_cast<double>(count));
    return bin < count ? bin : count - 1;  // where at was rounded up
  }
};

// ---- detail ---------------------------------------------------------------------------------

template <distributed_range R, class F>
task<std::vector<std::uint64_t>> histogram(const R& range, std::size_t bins, F bin_of,
                                           std::source_location where) {
  using counts = std::vector<std::uint64_t>;
  const auto add = [](counts a, const counts& b) {
    for (std::size_t k = 0; k < a.size(); ++k) {
      a[k] += b[k];
    }
    return a;
  };
  const auto work = [bins, add, bin_of = std::move(bin_of)](const on_node::execution& how,
                                                            auto elements, const auto&) {
    counts all(bins);
    std::mutex adding;  // guards `all`
    on_node::for_each_range(how, elements.size(), [&](std::size_t begin, std::size_t end) {
      counts own(bins);
      for (std::size_t k = begin; k < end; ++k) {
        const auto bin = static_cast<std::size_t>(std::invoke(bin_of, elements[k]));
        if (bin < bins) {
          ++own[bin];
        }
      }
      const std::lock_guard one_at_a_time{adding};
      all = add(std::move(all), own);
    });
    return std::optional{std::move(all)};
  };
  return detail::value_of(
      detail::read_segments<counts>(range, work, add, "lamellar::histogram", where));
}

}  // namespace lamellar
