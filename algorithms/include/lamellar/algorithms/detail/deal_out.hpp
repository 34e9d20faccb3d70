// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <lamellar/substrate/on_node.hpp>

// A few large pieces of work for the threads of a PE.
//
// Thread-safety: the thread that the execution belongs to.
namespace lamellar::detail {

/// Call f(k) for all k < n, on the threads of `how` as they become free.
template <class F>
void deal_out(const on_node::execution& how, std::size_t n, const F& f) {
  // Relaxed: the loop's own start and end order everything else.
  std::atomic<std::size_t> next{0};
  on_node::for_each_thread(how, [&](std::size_t) {
    for (std::size_t k; (k = next.fetch_add(1, std::memory_order_relaxed)) < n;) {
      f(k);
    }
  });
}

}  // namespace lamellar::detail
