// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <lamellar/substrate/on_node.hpp>

// How a loop over a PE's own elements is dealt out to its threads. What is best depends on the
// loop: elements that all take the same time need no dealing, few that take long and
// differently are best dealt one by one.
//
// Thread-safety: a schedule is a value; a loop over it belongs to one thread, as those of
// on_node do.
namespace lamellar {

class schedule {
 public:
  enum class kind { even, dynamic, guided, chunked };

  /// Each thread has an equal stretch of consecutive elements. No dealing, and nothing is
  /// written that threads share.
  static constexpr schedule even() { return {kind::even, 0}; }
  /// Each thread takes the next element when it is done with one.
  static constexpr schedule dynamic() { return {kind::dynamic, 1}; }
  /// The same with `chunk` consecutive elements. Requires: chunk > 0.
  static constexpr schedule chunked(std::size_t chunk) { return {kind::chunked, chunk}; }
  /// The same with stretches that begin large and end small: a share of what is left, but no
  /// fewer than `least`. Requires: least > 0.
  static constexpr schedule guided(std::size_t least = 1) { return {kind::guided, least}; }

  /// Even.
  constexpr schedule() = default;

  constexpr kind which() const { return kind_; }
  constexpr std::size_t chunk() const { return chunk_; }

 private:
  constexpr schedule(kind which, std::size_t chunk)
      : kind_{which}, chunk_{std::max<std::size_t>(chunk, 1)} {}

  kind kind_ = kind::even;
  std::size_t chunk_ = 1;
};

namespace on_node {

/// Call `f(begin, end)` for ranges that together are [0, n), each once, dealt out as `by` says.
template <std::invocable<std::size_t, std::size_t> F>
void for_each_range(const execution& how, std::size_t n, const schedule& by, F&& f) {
  if (by.which() == schedule::kind::even || how.threads() == 1) {
    for_each_range(how, n, f);
    return;
  }
  // The first element that nobody has. Written and read by all threads of the loop; relaxed:
  // it orders nothing, and the loop's end orders everything.
  std::atomic<std::size_t> next{0};
  for_each_thread(how, [&](std::size_t) {
    std::size_t begin = next.load(std::memory_order_relaxed);
    while (begin < n) {
      const std::size_t left = n - begin;
      const std::size_t share =
          by.which() == schedule::kind::guided ? left / (2 * how.threads()) : 0;
      const std::size_t end = begin + std::min(left, std::max(share, by.chunk()));
      if (next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) {
        f(begin, end);
        begin = next.load(std::memory_order_relaxed);
      }
    }
  });
}

}  // namespace on_node
}  // namespace lamellar
