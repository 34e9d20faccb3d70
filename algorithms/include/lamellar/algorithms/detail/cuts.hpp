// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

// Places in the order of all elements of a team, and where own elements are between them.
//
// Elements are ordered by key; those with equal keys by a *tie*: the part that they come from,
// and a number there. So no two are alike, and any number of equal keys can be divided.
//
// `Items` are this member's elements as this file sees them:
//   key_type                 what is compared: a rank word, or the element
//   size(), key(k), tie(k)   ties ascend with k
//   part()                   of all of them
//   before(key, key)
//
// Thread-safety: constant.
namespace lamellar::detail {

/// One element of the team, by what orders it.
template <class K>
struct mark {
  K key;
  std::uint32_t part;
  std::uint64_t tie;
};

template <class Items>
bool mark_before(const Items& items, const mark<typename Items::key_type>& a,
                 const mark<typename Items::key_type>& b) {
  if (items.before(a.key, b.key)) {
    return true;
  }
  if (items.before(b.key, a.key)) {
    return false;
  }
  return a.part != b.part ? a.part < b.part : a.tie < b.tie;
}

/// Ascending marks, as they cut the elements of one member.
template <class Items>
class cuts {
  using key_type = typename Items::key_type;

 public:
  explicit cuts(const Items& items) : items_{&items} {}

  void add(const mark<key_type>& at) {
    constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
    const std::uint32_t here = items_->part();
    all_.push_back({at.key, at.part < here ? 0 : at.part > here ? none : at.tie});
  }
  std::size_t size() const { return all_.size(); }

  /// How many marks are not after element `k`.
  std::size_t before(std::size_t k) const { return before(items_->key(k), items_->tie(k)); }
  std::size_t before(const key_type& key, std::uint64_t tie) const {
    const cut* const first = all_.data();
    const std::size_t n = all_.size();
    if (n <= few) {
      std::size_t count = 0;
      for (std::size_t j = 0; j < n; ++j) {
        count += static_cast<std::size_t>(passed(first[j], key, tie));
      }
      return count;
    }
    // A binary search whose steps depend on n alone.
    const cut* base = first;
    std::size_t left = n;
    while (left > 1) {
      const std::size_t half = left / 2;
      base += passed(base[half - 1], key, tie) ? half : 0;
      left -= half;
    }
    return static_cast<std::size_t>(base - first) +
           static_cast<std::size_t>(passed(*base, key, tie));
  }

 private:
  /// `from`: own elements with this key are after the cut from this tie on.
  struct cut {
    key_type key;
    std::uint64_t from;
  };
  static constexpr std::size_t few = 4;

  bool passed(const cut& c, const key_type& key, std::uint64_t tie) const {
    if constexpr (Items::words) {
      return static_cast<bool>(
          static_cast<unsigned>(key > c.key) |
          (static_cast<unsigned>(key == c.key) & static_cast<unsigned>(tie >= c.from)));
    } else {
      return items_->before(c.key, key) || (!items_->before(key, c.key) && tie >= c.from);
    }
  }

  const Items* items_;
  std::vector<cut> all_;
};

}  // namespace lamellar::detail
