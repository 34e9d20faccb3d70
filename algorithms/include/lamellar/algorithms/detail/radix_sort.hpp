// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

// A stable sort of elements by rank words, without comparisons: one pass to memory by the
// highest digit, into buckets that fit into a cache; in there two passes by the next two
// digits, and insertion for the few that have these in common. Buckets with many keys alike in
// all of them are sorted in the same way by what is left.
//
// Cost: about 3 passes over memory for any number of elements up to 2^30, for evenly spread
// keys; digits that all keys have in common cost nothing.
//
// Thread-safety: one thread at a time.
namespace lamellar::detail {

/// Sorts Ts by `rank(element)`, an unsigned number.
template <class T, class Rank>
class radix_sorter {
 public:
  explicit radix_sorter(Rank rank) : rank_{rank} {}

  /// Sort `from` into `to`, of the same length; `from` is clobbered.
  void operator()(std::span<T> from, std::span<T> to) {
    const std::size_t n = from.size();
    if (n * sizeof(T) <= bucket_bytes) {
      std::copy(from.begin(), from.end(), to.begin());
      sort_bucket(to.data(), from.data(), n);
      return;
    }
    const auto [low, width] = extent(from.data(), n);
    if (width == 0) {
      std::copy(from.begin(), from.end(), to.begin());
      return;
    }
    const auto wanted = static_cast<unsigned>(std::bit_width(n * sizeof(T) / bucket_bytes));
    const unsigned bits = std::min({std::max(wanted, least_bits), most_bits, width});
    const unsigned shift = width - bits;
    const std::vector<std::size_t> ends = scatter(from, to.data(), low, shift, bits);
    if (shift == 0) {
      return;
    }
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      sort_part(to.data() + begin, from.data() + begin, end - begin);
      begin = end;
    }
  }

 private:
  using word = std::uint64_t;
  static constexpr std::size_t bucket_bytes = std::size_t{128} << 10;  // with the scratch: L2
  static constexpr unsigned least_bits = 4;
  static constexpr unsigned most_bits = 11;
  static constexpr unsigned digit_bits = 8;
  static constexpr std::size_t few = 32;

  struct range {
    word low;
    unsigned width;  // of the differences from `low`
  };
  range extent(const T* elements, std::size_t n) const {
    word low = ~word{0};
    word high = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const word r = rank_(elements[k]);
      low = std::min(low, r);
      high = std::max(high, r);
    }
    return {low, n == 0 ? 0 : static_cast<unsigned>(std::bit_width(high - low))};
  }

  /// Put the elements into buckets by their highest bits; gives where each bucket ends. Rows of
  /// two lines are gathered for each bucket before they are written, so that memory sees whole
  /// lines and few pages at a time.
  std::vector<std::size_t> scatter(std::span<const T> from, T* to, word low, unsigned shift,
                                   unsigned bits) const {
    constexpr std::size_t row = std::max<std::size_t>(1, 128 / sizeof(T));
    const std::size_t buckets = std::size_t{1} << bits;
    std::vector<std::size_t> next(buckets + 1);
    for (const T& each : from) {
      ++next[((rank_(each) - low) >> shift) + 1];
    }
    for (std::size_t b = 1; b <= buckets; ++b) {
      next[b] += next[b - 1];
    }
    const std::unique_ptr<T[]> rows{new T[buckets * row]};
    std::vector<std::uint32_t> used(buckets);
    for (const T& each : from) {
      const std::size_t b = (rank_(each) - low) >> shift;
      T* const open = rows.get() + b * row;
      open[used[b]] = each;
      if (++used[b] == row) {
        std::copy(open, open + row, to + next[b]);
        next[b] += row;
        used[b] = 0;
      }
    }
    for (std::size_t b = 0; b < buckets; ++b) {
      const T* const open = rows.get() + b * row;
      std::copy(open, open + used[b], to + next[b]);
      next[b] += used[b];
    }
    next.pop_back();
    return next;
  }

  /// Sort in place a part of any size.
  void sort_part(T* at, T* scratch, std::size_t n) {
    if (n * sizeof(T) <= 4 * bucket_bytes) {
      sort_bucket(at, scratch, n);
    } else {
      (*this)({at, n}, {scratch, n});
      std::copy(scratch, scratch + n, at);
    }
  }

  /// Sort in place what fits into a cache.
  void sort_bucket(T* at, T* scratch, std::size_t n) {
    if (n <= few) {
      insert(at, n);
      return;
    }
    const auto [low, width] = extent(at, n);
    if (width == 0) {
      return;
    }
    const unsigned left = width > 2 * digit_bits ? width - 2 * digit_bits : 0;
    pass(at, scratch, n, low, left);
    pass(scratch, at, n, low, left + digit_bits);
    if (left == 0) {
      return;
    }
    for (std::size_t begin = 0; begin + 1 < n;) {
      const word digits = (rank_(at[begin]) - low) >> left;
      std::size_t end = begin + 1;
      while (end < n && (rank_(at[end]) - low) >> left == digits) {
        ++end;
      }
      if (end - begin > 1) {
        sort_bucket(at + begin, scratch + begin, end - begin);
      }
      begin = end;
    }
  }

  /// By one digit, stable.
  void pass(const T* from, T* to, std::size_t n, word low, unsigned shift) const {
    constexpr word mask = (word{1} << digit_bits) - 1;
    std::array<std::uint32_t, mask + 1> next{};
    for (std::size_t k = 0; k < n; ++k) {
      ++next[((rank_(from[k]) - low) >> shift) & mask];
    }
    std::uint32_t sum = 0;
    for (std::uint32_t& each : next) {
      const std::uint32_t count = each;
      each = sum;
      sum += count;
    }
    for (std::size_t k = 0; k < n; ++k) {
      to[next[((rank_(from[k]) - low) >> shift) & mask]++] = from[k];
    }
  }

  void insert(T* at, std::size_t n) const {
    for (std::size_t k = 1; k < n; ++k) {
      const T moving = at[k];
      const word r = rank_(moving);
      std::size_t hole = k;
      for (; hole > 0 && rank_(at[hole - 1]) > r; --hole) {
        at[hole] = at[hole - 1];
      }
      at[hole] = moving;
    }
  }

  Rank rank_;
};

}  // namespace lamellar::detail
