// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/radix_sort.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

// A stable sort of elements whose keys are strings: by eight characters at a time, which are
// copied next to each other, so that the strings themselves are not looked at for each
// comparison.
//
// Memory: 32 bytes an element beside the elements. Thread-safety: one thread at a time.
namespace lamellar::detail {

template <class T, class Order>
class string_sorter {
 public:
  explicit string_sorter(const Order& order) : order_{&order} {}

  /// Move the elements of `from` to `to`, sorted.
  void operator()(std::span<T> from, std::span<T> to) {
    from_ = from;
    std::vector<entry> entries(from.size());
    std::vector<entry> scratch(from.size());
    for (std::size_t k = 0; k < from.size(); ++k) {
      entries[k].index = k;
    }
    sort_from(entries, scratch, 0);
    constexpr std::size_t ahead = 8;
    for (std::size_t k = 0; k < to.size(); ++k) {
      if (k + ahead < to.size()) {
        __builtin_prefetch(&from[entries[k + ahead].index]);
      }
      to[k] = std::move(from[entries[k].index]);
    }
  }

 private:
  struct entry {
    std::uint64_t characters;  // eight of them, from somewhere on
    std::uint64_t index;
  };
  static constexpr std::size_t few = 24;

  const std::string& key(const entry& of) const { return order_->key_of(from_[of.index]); }

  std::uint64_t characters_of(const std::string& text, std::size_t begin) const {
    std::uint64_t word = 0;
    const std::size_t end = std::min(text.size(), begin + 8);
    for (std::size_t k = begin; k < end; ++k) {
      word |= std::uint64_t{static_cast<unsigned char>(text[k])} << (8 * (7 - (k - begin)));
    }
    return Order::descends ? ~word : word;
  }

  /// Sort entries that are alike in all characters before `begin`.
  void sort_from(std::span<entry> entries, std::span<entry> scratch, std::size_t begin) {
    if (entries.size() <= few) {
      insert(entries);
      return;
    }
    std::size_t longest = 0;
    for (entry& each : entries) {
      const std::string& text = key(each);
      longest = std::max(longest, text.size());
      each.characters = characters_of(text, begin);
    }
    const auto rank = [](const entry& of) { return of.characters; };
    radix_sorter<entry, decltype(rank)>{rank}(entries, scratch);
    std::copy(scratch.begin(), scratch.end(), entries.begin());
    for (std::size_t first = 0; first < entries.size();) {
      std::size_t last = first + 1;
      while (last < entries.size() && entries[last].characters == entries[first].characters) {
        ++last;
      }
      if (last - first > 1) {
        const auto alike = entries.subspan(first, last - first);
        if (longest > begin + 8) {
          sort_from(alike, scratch.subspan(first, last - first), begin + 8);
        } else {
          // Alike but for zero characters at the end.
          std::stable_sort(alike.begin(), alike.end(), [this](const entry& a, const entry& b) {
            return comes_first(a, b);
          });
        }
      }
      first = last;
    }
  }

  bool comes_first(const entry& a, const entry& b) const {
    return (*order_)(from_[a.index], from_[b.index]);
  }

  void insert(std::span<entry> entries) const {
    for (std::size_t k = 1; k < entries.size(); ++k) {
      const entry moving = entries[k];
      std::size_t hole = k;
      for (; hole > 0 && comes_first(moving, entries[hole - 1]); --hole) {
        entries[hole] = entries[hole - 1];
      }
      entries[hole] = moving;
    }
  }

  const Order* order_;
  std::span<T> from_;
};

}  // namespace lamellar::detail
