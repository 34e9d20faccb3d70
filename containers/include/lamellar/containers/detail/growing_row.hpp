// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

// A row of items to which threads and handlers of a PE append, while others may pass over it.
//
// Thread-safety: any thread, under a lock that costs nothing if the row is not shared; items()
// and take(): the body, when nobody appends.
namespace lamellar::detail {

template <class T>
class growing_row {
 public:
  /// `shared`: whether several threads use it.
  explicit growing_row(bool shared) : lock_{shared} {}

  std::size_t size() const {
    const std::lock_guard held{lock_};
    return items_.size();
  }
  void push(T item) {
    const std::lock_guard held{lock_};
    items_.push_back(std::move(item));
  }
  void append(std::span<const T> items) {
    const std::lock_guard held{lock_};
    items_.insert(items_.end(), items.begin(), items.end());
  }
  void clear() {
    const std::lock_guard held{lock_};
    items_ = {};
  }
  /// f of each item that is here now; f may append, which is not looked at. The row may move
  /// meanwhile: f sees copies, made some at a time.
  template <class F>
  void for_each(F& f) const {
    const std::size_t n = size();
    for (std::size_t k = 0; k < n; k += some) {
      for (const T& each : copies(k, std::min(n, k + some))) f(each);
    }
  }

  std::vector<T>& items() { return items_; }
  const std::vector<T>& items() const { return items_; }
  /// The items, which are then no longer here.
  std::vector<T> take() { return std::exchange(items_, {}); }
  void put(std::vector<T> items) { items_ = std::move(items); }
  std::size_t bytes() const { return items_.capacity() * sizeof(T); }

 private:
  static constexpr std::size_t some = 64;

  std::vector<T> copies(std::size_t begin, std::size_t end) const {
    const std::lock_guard held{lock_};
    end = std::min(end, items_.size());
    return begin < end ? std::vector<T>(items_.data() + begin, items_.data() + end)
                       : std::vector<T>{};
  }

  std::vector<T> items_;
  mutable spin_lock lock_;  // guards items_
};

}  // namespace lamellar::detail
