// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unordered_set>
#include <utility>
#include <vector>

// A list of values without repetitions, in the order in which they first came.
//
// Thread-safety: none.
namespace lamellar::detail {

template <class T>
class distinct_values {
 public:
  void add(const T& value) {
    if (!list_.empty() && value == last_) {
      return;  // often the same again and again
    }
    last_ = value;
    if (known_.insert(value).second) {
      list_.push_back(value);
    }
  }
  std::vector<T> take() { return std::move(list_); }

 private:
  std::unordered_set<T> known_;
  std::vector<T> list_;
  T last_{};
};

}  // namespace lamellar::detail
