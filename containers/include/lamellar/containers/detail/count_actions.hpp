// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <lamellar/containers/detail/combining_cache.hpp>
#include <lamellar/containers/detail/keyed_errors.hpp>
#include <lamellar/containers/detail/keyed_part.hpp>
#include <lamellar/containers/detail/map_actions.hpp>
#include <limits>
#include <tuple>
#include <utility>

// How counts are added up, here and at their owner, and what becomes of those that are too
// large.
namespace lamellar::detail {

constexpr std::uint64_t largest_count = std::numeric_limits<std::uint64_t>::max();

/// Add `n` to `count`, unless that overflows.
inline bool add_count(std::uint64_t& count, std::uint64_t n) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(count, n, &sum)) [[unlikely]] {
    return false;
  }
  count = sum;
  return true;
}

struct join_counts {
  bool operator()(std::uint64_t& waiting, std::uint64_t n) const {
    return add_count(waiting, n);
  }
};

struct checked_sum {
  std::uint64_t sum = 0;
  bool overflown = false;
  void add(std::uint64_t n) { overflown |= !add_count(sum, n); }
};

template <class Part>
struct count_key {
  using part = Part;
  using result = void;
  using operands = std::tuple<std::uint64_t>;
  static void run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  std::uint64_t n) {
    here.with_made(h, key, maker<Part>(key, std::uint64_t{0}), [&](auto& item, bool) {
      if (!add_count(item.second, n)) [[unlikely]] {
        item.second = largest_count;
        here.overflown.store(true, std::memory_order_relaxed);
      }
    });
  }
  /// After all records of a message: none of them is lost.
  static void end(Part& here) {
    if (here.overflown.load(std::memory_order_relaxed) &&
        here.overflown.exchange(false, std::memory_order_relaxed)) [[unlikely]] {
      throw_count_overflow("a count");
    }
  }
};

template <class K, class Hash, class Equal>
class counting_part
    : public keyed_part<K, std::pair<K, std::uint64_t>, key_is_first, Hash, Equal> {
  using base = keyed_part<K, std::pair<K, std::uint64_t>, key_is_first, Hash, Equal>;

 public:
  using cache_type =
      combining_cache<counting_part, count_key<counting_part>, std::uint64_t, join_counts>;

  explicit counting_part(const team& of) : base{of} {}

  cache_type cache;
  // A count has come to its end: written by whoever counts, taken by whoever ends a message.
  std::atomic<bool> overflown{false};
};

}  // namespace lamellar::detail
