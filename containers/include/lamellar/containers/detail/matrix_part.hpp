// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/compressed_rows.hpp>
#include <lamellar/containers/detail/growing_row.hpp>
#include <lamellar/containers/detail/halo.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/team.hpp>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// One PE's part of a sparse matrix: a block of its rows, and entries that were added since it
// was assembled, as they came.
//
// Thread-safety: entries are added under the lock; with one thread per PE it costs nothing. The
// body looks at a part when nothing is under way.
namespace lamellar {

/// A value and its place in a matrix.
template <class T>
struct matrix_entry {
  std::uint64_t row;
  std::uint64_t column;
  T value;

  friend bool operator==(const matrix_entry&, const matrix_entry&) = default;
};

/// The same in its row.
template <class T>
struct matrix_element {
  std::uint64_t column;
  T value;

  friend bool operator==(const matrix_element&, const matrix_element&) = default;
};

/// A value and its place in a sparse vector.
template <class T>
struct vector_entry {
  std::uint64_t index;
  T value;

  friend bool operator==(const vector_entry&, const vector_entry&) = default;
};

namespace detail {

/// Sort a row by index and let op join values of the same one; returns how many are left at its
/// front. `index` is the member that has it. Values that have an order are joined in it.
template <class Item, class Op>
std::size_t join_equal(std::span<Item> row, std::uint64_t Item::*index, Op& op) {
  const auto before = [index](const Item& a, const Item& b) {
    if constexpr (std::totally_ordered<decltype(a.value)>) {
      return a.*index != b.*index ? a.*index < b.*index : a.value < b.value;
    } else {
      return a.*index < b.*index;
    }
  };
  if (!std::is_sorted(row.begin(), row.end(), before)) {
    std::sort(row.begin(), row.end(), before);
  }
  std::size_t kept = 0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (kept != 0 && row[kept - 1].*index == row[k].*index) {
      row[kept - 1].value = op(std::move(row[kept - 1].value), std::move(row[k].value));
    } else if (kept++ != k) {
      row[kept - 1] = std::move(row[k]);
    }
  }
  return kept;
}

template <class T>
class matrix_part {
 public:
  using entry = matrix_entry<T>;
  using element = matrix_element<T>;

  matrix_part(team members, layout::block rows, layout::block columns)
      : members_{std::move(members)},
        by_rows_{rows},
        by_columns_{columns},
        me_{members_.position().index()},
        first_{rows.first(me_)},
        added_{members_.where().threads() > 1} {
    for (std::uint32_t k = 0; k < members_.size(); ++k) {
      pes_.push_back(members_.at(team_position{k}).index());
    }
  }

  const team& members() const { return members_; }
  const layout::block& by_rows() const { return by_rows_; }
  const layout::block& by_columns() const { return by_columns_; }
  std::uint32_t me() const { return me_; }
  std::uint32_t owner(std::uint64_t row) const { return pes_[by_rows_.owner(row)]; }
  std::uint64_t first() const { return first_; }
  std::size_t rows_here() const { return part_size(by_rows_, me_); }
  bool is_here(std::uint64_t row) const { return row - first_ < rows_here(); }
  std::size_t columns_here() const { return part_size(by_columns_, me_); }
  bool assembled() const { return assembled_; }
  const compressed_rows<element>& rows() const { return rows_; }
  const halo& columns() const { return columns_; }
  /// Of each element of `rows`, in order: the slot of its column.
  std::span<const std::uint64_t> slots() const { return slots_; }
  std::uint64_t all_entries() const { return all_entries_; }

  std::size_t entries_here() const { return rows_.size() + added_.size(); }
  std::size_t bytes() const {
    return sizeof(*this) + rows_.bytes() + added_.bytes() +
           slots_.capacity() * sizeof(std::uint64_t);
  }
  void put(entry one) { added_.push(std::move(one)); }
  void put(std::span<const entry> some) { added_.append(some); }
  /// f of each entry that is here now, assembled or not; f may add more, which is not looked
  /// at.
  template <class F>
  void for_each(F& f) const {
    for (std::size_t k = 0; k < rows_.rows(); ++k) {
      for (const element& each : rows_.row(k)) {
        f(entry{first_ + k, each.column, each.value});
      }
    }
    added_.for_each(f);
  }
  void clear() {
    added_.clear();
    rows_.clear();
    slots_ = {};
    has_slots_ = false;
    assembled_ = false;
  }

  // ---- by the body, with nothing under way ----
  /// Put all entries into rows, those of one place joined.
  template <class Op>
  void build(Op op) {
    std::vector<entry> all = added_.take();
    for (std::size_t k = 0; k < rows_.rows(); ++k) {
      for (element& each : rows_.row(k)) {
        all.push_back({first_ + k, each.column, std::move(each.value)});
      }
    }
    slots_ = {};
    has_slots_ = false;
    rows_.build(
        rows_here(), std::move(all), [this](const entry& each) { return each.row - first_; },
        [](entry each) {
          return element{each.column, std::move(each.value)};
        });
    rows_.tidy_rows([&](std::size_t, std::span<element> row) {
      return join_equal(row, &element::column, op);
    });
  }
  /// The columns of others that own rows have elements in.
  bit_set ghosts() const {
    bit_set found{by_columns_.size()};
    const std::uint64_t first = by_columns_.first(me_);
    for (const element& each : rows_.entries()) {
      if (each.column - first >= columns_here()) {
        found.insert(each.column);
      }
    }
    return found;
  }
  void finish(std::uint64_t entries) {
    all_entries_ = entries;
    assembled_ = true;
  }
  /// Whether columns() and slots() are those of the rows as they are. The same on all members.
  bool has_slots() const { return has_slots_; }
  void find_slots(halo columns) {
    columns_ = std::move(columns);
    slots_.clear();
    slots_.reserve(rows_.size());
    for (const element& each : rows_.entries()) {
      slots_.push_back(columns_.slot(each.column));
    }
    has_slots_ = true;
  }

 private:
  team members_;
  layout::block by_rows_;
  layout::block by_columns_;
  std::uint32_t me_;
  std::uint64_t first_;
  std::vector<std::uint32_t> pes_;
  growing_row<entry> added_;
  compressed_rows<element> rows_;  // by the body, when nothing is under way; so are the others
  halo columns_;
  std::vector<std::uint64_t> slots_;
  std::uint64_t all_entries_ = 0;
  bool assembled_ = false;
  bool has_slots_ = false;
};

// ---- messages -------------------------------------------------------------------------------

template <class T>
struct put_entries {
  void operator()(matrix_part<T>& mine, std::span<const matrix_entry<T>> entries) const {
    mine.put(entries);
  }
};
template <class T>
struct put_entry {
  void operator()(matrix_part<T>& mine, const matrix_entry<T>& entry) const { mine.put(entry); }
};
/// Entries that are bytes are read where they arrive.
template <class T>
using entry_putter = std::conditional_t<bitwise<T>, put_entries<T>, put_entry<T>>;

}  // namespace detail
}  // namespace lamellar
