// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/sketch.hpp>
#include <string_view>
#include <utility>
#include <vector>

// quantile<T>: which item lies where in the order of all that were inserted. The place of what
// it gives differs from the place that was asked for by less than `error` times the number of
// items, with a probability of 0.99. NaNs have no place in an order and must not be inserted.
//
// Items lie in levels; one of level h stands for 2^h. A full level is sorted, and every second
// item goes on to the next level, the others go: which ones, a random bit says.
//
// Source: Karnin, Lang, Liberty, "Optimal quantile approximation in streams", 2016.
//
// Thread-safety: a value.
namespace lamellar {

template <transferable T, class Compare = std::less<T>>
class quantile {
 public:
  using value_type = T;
  static constexpr std::string_view kind = "quantile";

  /// About 3 * `size` items are kept at most.
  explicit quantile(std::size_t size = 200, std::uint64_t seed = 0)
      : size_{std::max<std::size_t>(8, size)}, random_{seed}, levels_(1) {}
  /// One with this error.
  static quantile size_for(double error, std::uint64_t seed = 0) {
    if (!(error > 0 && error < 1)) {
      detail::refuse_size("quantile", "an error between 0 and 1", error);
    }
    return quantile{static_cast<std::size_t>(std::ceil(std::pow(2.3 / error, 1.11))), seed};
  }

  /// Cost: O(log log items), on average.
  void insert(const T& item) {
    levels_[0].push_back(item);
    ++seen_;
    if (levels_[0].size() >= capacity(0)) {
      shrink();
    }
  }
  /// Let this be the sketch of both. Throws: sketch_mismatch, if the sizes differ.
  void merge(const quantile& other) {
    if (size_ != other.size_) {
      detail::refuse_merge("quantile", size_, other.size_);
    }
    levels_.resize(std::max(levels_.size(), other.levels_.size()));
    for (std::size_t h = 0; h < other.levels_.size(); ++h) {
      levels_[h].insert(levels_[h].end(), other.levels_[h].begin(), other.levels_[h].end());
    }
    seen_ += other.seen_;
    shrink();
  }

  /// An item about at `share` of the way from the least to the greatest: 0.5 is the median.
  /// Requires: something was inserted, 0 <= share <= 1.
  T at(double share) const { return at(std::vector<double>{share}).front(); }
  /// The same for many. Cost: a sort of what is kept.
  std::vector<T> at(const std::vector<double>& shares) const;
  /// About how large a share of the items comes before `item`; 0 if there are none.
  double share_below(const T& item) const;

  std::uint64_t seen() const { return seen_; }
  /// How many items are kept.
  std::size_t kept() const {
    std::size_t sum = 0;
    for (const auto& level : levels_) {
      sum += level.size();
    }
    return sum;
  }
  std::size_t bytes() const { return kept() * sizeof(T); }

  template <class Archive>
  void serialize(Archive& by) {
    by(size_, seen_, random_, levels_);
  }

 private:
  std::size_t capacity(std::size_t level) const {
    const auto below = static_cast<double>(levels_.size() - level - 1);
    return std::max<std::size_t>(
        8, static_cast<std::size_t>(static_cast<double>(size_) * std::pow(2.0 / 3.0, below)));
  }
  /// Halve the levels that are too full, from below.
  void shrink();

  std::size_t size_;
  std::uint64_t seen_ = 0;
  detail::random_sequence random_;
  std::vector<std::vector<T>> levels_;  // the last is where items stand for most
};

template <transferable T, class Compare>
void quantile<T, Compare>::shrink() {
  for (std::size_t h = 0; h < levels_.size(); ++h) {
    if (levels_[h].size() < capacity(h)) {
      continue;
    }
    if (h + 1 == levels_.size()) {
      levels_.emplace_back();
    }
    std::vector<T>& level = levels_[h];
    std::sort(level.begin(), level.end(), Compare{});
    const std::uint64_t random = random_.next();
    std::vector<T> left;
    if (level.size() % 2 != 0) {  // one without a partner stays: the first or the last
      const bool first = (random & 2) != 0;
      left.push_back(first ? level.front() : level.back());
      level.erase(first ? level.begin() : level.end() - 1);
    }
    for (std::size_t k = random & 1; k < level.size(); k += 2) {
      levels_[h + 1].push_back(level[k]);
    }
    level = std::move(left);
  }
}

template <transferable T, class Compare>
std::vector<T> quantile<T, Compare>::at(const std::vector<double>& shares) const {
  std::vector<std::pair<T, std::uint64_t>> all;
  std::uint64_t weight = 0;
  for (std::size_t h = 0; h < levels_.size(); ++h) {
    for (const T& item : levels_[h]) {
      all.emplace_back(item, std::uint64_t{1} << h);
      weight += std::uint64_t{1} << h;
    }
  }
  if (all.empty()) {
    detail::refuse_size("quantile", "items, 1 or more, before it is asked", 0);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return Compare{}(a.first, b.first); });
  std::vector<std::uint64_t> until;
  std::uint64_t sum = 0;
  for (const auto& [item, stands_for] : all) {
    until.push_back(sum += stands_for);
  }
  std::vector<T> found;
  for (const double share : shares) {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(weight));
    const auto place = std::upper_bound(until.begin(), until.end(), wanted) - until.begin();
    found.push_back(all[std::min(static_cast<std::size_t>(place), all.size() - 1)].first);
  }
  return found;
}

template <transferable T, class Compare>
double quantile<T, Compare>::share_below(const T& item) const {
  double below = 0;
  double all = 0;
  for (std::size_t h = 0; h < levels_.size(); ++h) {
    for (const T& each : levels_[h]) {
      all += std::ldexp(1.0, static_cast<int>(h));
      below += Compare{}(each, item) ? std::ldexp(1.0, static_cast<int>(h)) : 0;
    }
  }
  return all == 0 ? 0 : below / all;
}

}  // namespace lamellar
