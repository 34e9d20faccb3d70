// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
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
    const std::uint32_t here = items_->part();
    all_.push_back({at.key, at.part < here ? 0 : at.part > here ? none : at.tie});
  }
  std::size_t size() const { return all_.size(); }

  /// Call f(begin, end, find) for stretches that together are [0, n): for the elements
  /// k = index(j) with j in them, find(k) tells how many of the cuts are not after element k. A
  /// loop of its own for each stretch can keep what it changes in registers. Requires: indices
  /// ascend.
  template <class Index, class F>
  void stretches(std::size_t n, const Index& index, const F& f) const {
    if constexpr (Items::words) {
      std::vector<std::size_t> ends;
      for (const cut& c : all_) {
        if (c.from != 0 && c.from != none) {
          ends.push_back(first_from(n, index, c.from));
        }
      }
      ends.push_back(n);
      std::sort(ends.begin(), ends.end());
      std::size_t begin = 0;
      for (const std::size_t end : ends) {
        if (begin != end) {
          with_finder(items_->tie(index(begin)), [&](const auto& find) {
            f(begin, end,
              [items = *items_, find](std::size_t k) { return find(items.key(k)); });
          });
        }
        begin = end;
      }
    } else {
      f(std::size_t{0}, n, [this](std::size_t k) { return count_before(k); });
    }
  }

  /// Call f(k, c) for each k = index(j) with j < n: element k has c of the cuts before it.
  template <class Index, class F>
  void each(std::size_t n, const Index& index, const F& f) const {
    stretches(n, index, [&](std::size_t begin, std::size_t end, const auto& find) {
      for (std::size_t j = begin; j < end; ++j) {
        if constexpr (!Items::words && requires(const key_type& key) { key.data(); }) {
          // What the element owns is anywhere in memory.
          constexpr std::size_t ahead = 12;
          if (j + ahead < n) {
            __builtin_prefetch(items_->key(index(j + ahead)).data());
          }
        }
        const std::size_t k = index(j);
        f(k, find(k));
      }
    });
  }

 private:
  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

  /// `from`: own elements with this key are after the cut from this tie on.
  struct cut {
    key_type key;
    std::uint64_t from;
  };

  /// The least j with a tie that is `from` or more.
  template <class Index>
  std::size_t first_from(std::size_t n, const Index& index, std::uint64_t from) const {
    std::size_t low = 0;
    std::size_t high = n;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (items_->tie(index(middle)) < from) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// How many cuts are not after element `k`. The steps depend on the number of cuts alone.
  std::size_t count_before(std::size_t k) const {
    const key_type& key = items_->key(k);
    const std::uint64_t tie = items_->tie(k);
    const cut* base = all_.data();
    std::size_t left = all_.size();
    while (left > 0) {
      const std::size_t half = (left + 1) / 2;
      base += passed(base[half - 1], key, tie) ? half : 0;
      left -= half;
    }
    return static_cast<std::size_t>(base - all_.data());
  }
  bool passed(const cut& c, const key_type& key, std::uint64_t tie) const {
    return items_->before(c.key, key) || (!items_->before(key, c.key) && tie >= c.from);
  }

  /// Call use(find) with a function that tells how many cuts are not after a word, for elements
  /// of a tie at which no cut begins to count: then only the word matters.
  template <class Use>
  void with_finder(std::uint64_t tie, const Use& use) const {
    std::vector<key_type> least;  // the least word after each cut; where there is none, nothing
    for (const cut& c : all_) {
      if (tie >= c.from) {
        least.push_back(c.key);
      } else if (c.key != std::numeric_limits<key_type>::max()) {
        least.push_back(static_cast<key_type>(c.key + 1));
      }
    }
    const auto is = [](key_type word, key_type bound) {
      return static_cast<std::size_t>(word >= bound);
    };
    if (least.empty()) {
      use([](key_type) { return std::size_t{0}; });
    } else if (least.size() == 1) {
      use([is, a = least[0]](key_type word) { return is(word, a); });
    } else if (least.size() == 2) {
      use([is, a = least[0], b = least[1]](key_type word) {
        return is(word, a) + is(word, b);
      });
    } else {
      use([bounds = least.data(), n = least.size()](key_type word) {
        const key_type* base = bounds;
        std::size_t left = n;
        while (left > 0) {
          const std::size_t half = (left + 1) / 2;
          base += word >= base[half - 1] ? half : 0;
          left -= half;
        }
        return static_cast<std::size_t>(base - bounds);
      });
    }
  }

  const Items* items_;
  std::vector<cut> all_;
};

}  // namespace lamellar::detail
