// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

// Where a PE's items of a work queue wait, by the order in which they are wanted. Each store
// has push(), pop(), size(), and take_half(), which gives to others what waits longest or is
// most wanted, and keeps one item at least.
//
// Thread-safety: none.
namespace lamellar::detail {

/// A row of items of which both ends are used.
template <class T>
class item_row {
 public:
  void push(T item) { items_.push_back(std::move(item)); }
  std::size_t size() const { return items_.size() - first_; }
  T pop_last() {
    T last = std::move(items_.back());
    items_.pop_back();
    if (items_.size() == first_) {
      clear();
    }
    return last;
  }
  T pop_first() {
    T first = std::move(items_[first_++]);
    close_gap();
    return first;
  }
  /// The first `count` items.
  std::vector<T> take_first(std::size_t count) {
    const auto begin = items_.begin() + static_cast<std::ptrdiff_t>(first_);
    std::vector<T> taken(std::make_move_iterator(begin),
                         std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count)));
    first_ += count;
    close_gap();
    return taken;
  }
  void clear() {
    items_.clear();
    first_ = 0;
  }
  template <class F>
  void for_each(const F& f) const {
    for (std::size_t k = first_; k < items_.size(); ++k) {
      f(items_[k]);
    }
  }
  std::size_t bytes() const { return items_.capacity() * sizeof(T); }

 private:
  void close_gap() {
    if (first_ == items_.size()) {
      clear();
    } else if (first_ > 64 && first_ > items_.size() / 2) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }

  std::vector<T> items_;
  std::size_t first_ = 0;  // what lies before it has gone
};

template <class T>
class row_store {
 public:
  void push(T item) { row_.push(std::move(item)); }
  std::size_t size() const { return row_.size(); }
  std::vector<T> take_half(std::size_t most) {
    return row_.take_first(std::min(most, row_.size() / 2));
  }
  void clear() { row_.clear(); }
  template <class F>
  void for_each(const F& f) const {
    row_.for_each(f);
  }
  std::size_t bytes() const { return row_.bytes(); }

 protected:
  item_row<T> row_;
};

template <class T>
struct fifo_store : row_store<T> {
  T pop() { return this->row_.pop_first(); }
};
template <class T>
struct lifo_store : row_store<T> {
  T pop() { return this->row_.pop_last(); }
};

/// Buckets, of which the one with the least number comes first; within one, first in first out.
/// Only those that have items are there.
template <class T, class BucketOf>
class bucket_store {
 public:
  void push(T item) {
    const auto bucket = static_cast<std::size_t>(BucketOf{}(std::as_const(item)));
    buckets_[bucket].push(std::move(item));
    ++size_;
  }
  std::size_t size() const { return size_; }
  T pop() {
    const auto first = buckets_.begin();
    T item = first->second.pop_first();
    taken_from(first, 1);
    return item;
  }
  /// Half of the first bucket that can be divided; if there is none, the last item of all.
  std::vector<T> take_half(std::size_t most) {
    if (size_ < 2) {
      return {};
    }
    auto from = std::find_if(buckets_.begin(), buckets_.end(),
                             [](const auto& each) { return each.second.size() > 1; });
    if (from == buckets_.end()) {
      --from;
    }
    std::vector<T> taken = from->second.take_first(
        std::min(most, std::max<std::size_t>(1, from->second.size() / 2)));
    taken_from(from, taken.size());
    return taken;
  }
  void clear() {
    buckets_.clear();
    size_ = 0;
  }
  template <class F>
  void for_each(const F& f) const {
    for (const auto& [number, row] : buckets_) {
      row.for_each(f);
    }
  }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& [number, row] : buckets_) {
      sum += sizeof(number) + sizeof(row) + row.bytes();
    }
    return sum;
  }

 private:
  using row_of_buckets = std::map<std::size_t, item_row<T>>;

  void taken_from(typename row_of_buckets::iterator bucket, std::size_t items) {
    size_ -= items;
    if (bucket->second.size() == 0) {
      buckets_.erase(bucket);
    }
  }

  row_of_buckets buckets_;
  std::size_t size_ = 0;
};

}  // namespace lamellar::detail
