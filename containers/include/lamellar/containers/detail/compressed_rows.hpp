// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

// Rows of entries, one after the other in one vector, and where each begins: the edges of a
// PE's vertices, the elements of a PE's rows of a matrix.
//
// Thread-safety: as a std::vector.
namespace lamellar::detail {

template <class Entry>
class compressed_rows {
 public:
  std::size_t rows() const { return begins_.empty() ? 0 : begins_.size() - 1; }
  std::size_t size() const { return entries_.size(); }
  std::span<const Entry> row(std::size_t k) const {
    return {entries_.data() + begins_[k], begins_[k + 1] - begins_[k]};
  }
  std::span<Entry> row(std::size_t k) {
    return {entries_.data() + begins_[k], begins_[k + 1] - begins_[k]};
  }
  std::span<const std::uint64_t> begins() const { return begins_; }
  std::span<const Entry> entries() const { return entries_; }
  std::size_t bytes() const {
    return begins_.capacity() * sizeof(std::uint64_t) + entries_.capacity() * sizeof(Entry);
  }
  void clear() {
    begins_ = {};
    entries_ = {};
  }

  /// Let `items` be the rows: row_of(item) < rows says where each belongs, entry_of(item) what
  /// is left of it there. Within a row they keep their order.
  template <class Item, class RowOf, class EntryOf>
  void build(std::size_t rows, std::vector<Item> items, RowOf row_of, EntryOf entry_of) {
    begins_.assign(rows + 1, 0);
    for (const Item& each : items) {
      ++begins_[row_of(each) + 1];
    }
    for (std::size_t k = 0; k < rows; ++k) {
      begins_[k + 1] += begins_[k];
    }
    entries_.resize(items.size());
    std::vector<std::uint64_t> next(begins_.begin(), begins_.end() - 1);
    for (Item& each : items) {
      entries_[next[row_of(each)]++] = entry_of(std::move(each));
    }
  }

  /// Let tidy(row number, span) change each row in place; it returns how many entries of its
  /// front stay.
  template <class Tidy>
  void tidy_rows(Tidy tidy) {
    std::uint64_t kept = 0;
    std::uint64_t begin = 0;
    for (std::size_t k = 0; k < rows(); ++k) {
      const std::span<Entry> all{entries_.data() + begin, begins_[k + 1] - begin};
      begin = begins_[k + 1];
      const std::size_t stay = tidy(k, all);
      if (all.data() != entries_.data() + kept) {
        std::move(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(stay),
                  entries_.begin() + static_cast<std::ptrdiff_t>(kept));
      }
      kept += stay;
      begins_[k + 1] = kept;
    }
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(kept), entries_.end());
  }

 private:
  std::vector<std::uint64_t> begins_;  // of each row, and the number of all; empty: no rows
  std::vector<Entry> entries_;
};

}  // namespace lamellar::detail
