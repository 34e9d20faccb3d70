// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <type_traits>

// Counters and states that several threads change only if the PE has several. With one thread a
// locked instruction costs more than everything else that happens to a short message, and is
// not needed; other threads of the process may still read. `shared`: the PE has workers.
namespace lamellar::detail {

/// Add `n` and return what was there before.
template <class T>
T tally(std::atomic<T>& count, std::type_identity_t<T> n, bool shared) {
  if (shared) {
    return count.fetch_add(n, std::memory_order_acq_rel);
  }
  const T before = count.load(std::memory_order_relaxed);
  count.store(static_cast<T>(before + n), std::memory_order_release);
  return before;
}

/// Put `value` there and return what was there before.
template <class T>
T swap_in(std::atomic<T>& state, std::type_identity_t<T> value, bool shared) {
  if (shared) {
    return state.exchange(value, std::memory_order_acq_rel);
  }
  const T before = state.load(std::memory_order_acquire);
  state.store(value, std::memory_order_release);
  return before;
}

/// Replace `expected` by `value`; if something else is there, say what.
template <class T>
bool replace(std::atomic<T>& state, T& expected, std::type_identity_t<T> value, bool shared) {
  if (shared) {
    return state.compare_exchange_strong(expected, value, std::memory_order_acq_rel);
  }
  const T before = state.load(std::memory_order_acquire);
  if (before != expected) {
    expected = before;
    return false;
  }
  state.store(value, std::memory_order_release);
  return true;
}

}  // namespace lamellar::detail
