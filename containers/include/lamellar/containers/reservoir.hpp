// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/sketch.hpp>
#include <string_view>
#include <utility>
#include <vector>

// reservoir<T>: `size` of the items that were inserted, each choice as likely as any other,
// none of them twice (an item that was inserted twice may come twice); all of them if they are
// not more. Each item draws a random number, and those with the least ones stay: so merging is
// as if all had been inserted into one.
//
// Sketches that are to be merged have different seeds, such as the numbers of their PEs: with
// the same one all would choose items that came at the same times.
//
// Source: bottom-k sampling (Cohen, Kaplan 2007).
//
// Thread-safety: a value.
namespace lamellar {

template <transferable T>
class reservoir {
 public:
  using value_type = T;
  static constexpr std::string_view kind = "reservoir";

  /// Room for nothing; to be assigned to.
  reservoir() = default;
  /// Room for `size` items.
  reservoir(std::size_t size, std::uint64_t seed) : size_{size}, random_{seed} {}
  /// One whose share of items of any kind differs from that of all by less than `error`, with
  /// a probability of 0.95.
  static reservoir size_for(double error, std::uint64_t seed) {
    if (!(error > 0 && error < 1)) {
      detail::refuse_size("reservoir", "an error between 0 and 1", error);
    }
    return reservoir{static_cast<std::size_t>(std::ceil(0.98 * 0.98 / (error * error))), seed};
  }

  /// Cost: a random number; sometimes O(log size).
  void insert(const T& item) {
    ++seen_;
    keep(random_.next(), item);
  }
  /// Let this be the sketch of both. Throws: sketch_mismatch, if the sizes differ.
  void merge(const reservoir& other) {
    if (size_ != other.size_) {
      detail::refuse_merge("reservoir", size_, other.size_);
    }
    for (const auto& [drawn, item] : other.kept_) {
      keep(drawn, item);
    }
    seen_ += other.seen_;
  }
  /// The sample, in random order.
  std::vector<T> items() const {
    std::vector<std::pair<std::uint64_t, T>> sorted = kept_;
    std::sort(sorted.begin(), sorted.end(), by_number);
    std::vector<T> all;
    for (auto& [drawn, item] : sorted) {
      all.push_back(std::move(item));
    }
    return all;
  }
  /// How many items were inserted.
  std::uint64_t seen() const { return seen_; }
  std::size_t capacity() const { return size_; }
  std::size_t bytes() const { return kept_.capacity() * sizeof(kept_[0]); }

  template <class Archive>
  void serialize(Archive& by) {
    by(size_, seen_, random_, kept_);
  }

 private:
  static bool by_number(const std::pair<std::uint64_t, T>& a,
                        const std::pair<std::uint64_t, T>& b) {
    return a.first < b.first;
  }
  void keep(std::uint64_t drawn, const T& item) {
    if (kept_.size() < size_) {
      kept_.emplace_back(drawn, item);
      std::push_heap(kept_.begin(), kept_.end(), by_number);
    } else if (size_ != 0 && drawn < kept_.front().first) {
      std::pop_heap(kept_.begin(), kept_.end(), by_number);
      kept_.back() = {drawn, item};
      std::push_heap(kept_.begin(), kept_.end(), by_number);
    }
  }

  std::size_t size_ = 0;
  std::uint64_t seen_ = 0;
  detail::random_sequence random_;
  std::vector<std::pair<std::uint64_t, T>> kept_;  // a heap: the largest number comes first
};

}  // namespace lamellar
