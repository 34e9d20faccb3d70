// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/tile_range.hpp>
#include <source_location>
#include <span>
#include <utility>

// array_2d<T, Access>: rows x columns elements, cut into tiles that are not cut any further.
// The tiles are dealt out to the PEs in turn, row of tiles after row of tiles; the elements of
// a tile lie together, row after row. Two forms:
//
//   by_rows{k}      a tile is k whole rows; by_rows{} gives each PE one block of rows
//   by_tiles{r, c}  a tile is r x c elements
//
// Tiles at the right and lower edge are as large as the others in memory, and partly unused.
//
// Underneath is an array with a block-cyclic layout, whose block is a tile: elements() with
// index(r, c) has all operations of arrays. The handle is as that of an array: cheap to copy.
//
// Thread-safety: as an array's.
namespace lamellar {

/// A tile is `rows` whole rows; 0: as many as give each PE one tile.
struct by_rows {
  std::size_t rows = 0;
};
/// A tile is rows x columns elements.
struct by_tiles {
  std::size_t rows = 1;
  std::size_t columns = 1;
};

/// A rectangle of elements in memory, row after row, each `stride` elements after the one
/// before.
template <class E>
class tile_view {
 public:
  tile_view(E* data, std::size_t row, std::size_t column, std::size_t rows, std::size_t columns,
            std::size_t stride)
      : data_{data},
        row_{row},
        column_{column},
        rows_{rows},
        columns_{columns},
        stride_{stride} {}

  /// The place of its first element in the whole.
  std::size_t first_row() const { return row_; }
  std::size_t first_column() const { return column_; }
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  std::size_t stride() const { return stride_; }
  E* data() const { return data_; }
  /// Requires: r < rows(), c < columns().
  E& operator()(std::size_t r, std::size_t c) const { return data_[r * stride_ + c]; }
  std::span<E> row(std::size_t r) const { return {data_ + r * stride_, columns_}; }

 private:
  E* data_;
  std::size_t row_;
  std::size_t column_;
  std::size_t rows_;
  std::size_t columns_;
  std::size_t stride_;
};

template <array_element T, class Access = access::atomic>
class array_2d {
 public:
  using value_type = T;
  using array_type = array<T, layout::block_cyclic, Access>;

  /// No array; to be assigned to.
  array_2d() noexcept = default;
  /// Make one of zeros. Cost: array::create. Collective. Requires: the same shape everywhere.
  /// Throws: out_of_memory on all PEs.
  static task<array_2d> create(detail::located_team of, std::size_t rows, std::size_t columns,
                               by_rows how = {}) {
    const std::size_t each = (rows + of.value.size() - 1) / of.value.size();
    const detail::tiling cut{rows, columns, how.rows == 0 ? each : how.rows, columns};
    return create_tiles(std::move(of), cut);
  }
  static task<array_2d> create(detail::located_team of, std::size_t rows, std::size_t columns,
                               by_tiles how) {
    return create_tiles(std::move(of), detail::tiling{rows, columns, how.rows, how.columns});
  }

  // ---- what and where ----
  std::size_t rows() const { return cut_.rows; }
  std::size_t columns() const { return cut_.columns; }
  std::size_t tile_rows() const { return cut_.tile_rows; }
  std::size_t tile_columns() const { return cut_.tile_columns; }
  explicit operator bool() const { return static_cast<bool>(elements_); }
  /// All elements, in the order of index(); some of it is unused where tiles exceed the edge.
  const array_type& elements() const { return elements_; }
  /// Requires: r < rows(), c < columns().
  std::size_t index(std::size_t r, std::size_t c,
                    std::source_location where = std::source_location::current()) const {
    check(r, c, 1, 1, "index", where);
    return cut_.index(r, c);
  }
  pe owner(std::size_t r, std::size_t c,
           std::source_location where = std::source_location::current()) const {
    check(r, c, 1, 1, "owner", where);
    return elements_.owner(cut_.index(r, c));
  }

  // ---- elements, rows and rectangles, of any owners ----
  // As at(), put() and get() of arrays: completions, wholeness and costs are theirs; what a
  // rectangle has of a tile goes row by row, or as a whole if it has whole rows of the tile.
  completion<T> at(std::size_t r, std::size_t c,
                   std::source_location where = std::source_location::current()) const {
    check(r, c, 1, 1, "at", where);
    return elements_.at(cut_.index(r, c), where);
  }
  completion<> put(std::size_t r, std::size_t c, const T& value,
                   std::source_location where =
                       std::source_location::current()) const requires writable<Access> {
    check(r, c, 1, 1, "put", where);
    return elements_.put(cut_.index(r, c), value, where);
  }
  /// Fill `into` with the rectangle of rows x columns elements from (r, c) on, row after row.
  /// Requires: it is inside, into.size() == rows * columns.
  completion<> get_tile(std::size_t r, std::size_t c, std::size_t rows, std::size_t columns,
                        std::span<T> into,
                        std::source_location where = std::source_location::current()) const {
    check(r, c, rows, columns, "get_tile", where);
    if (into.size() != rows * columns) [[unlikely]] {
      detail::lengths_differ(elements_.home(), rows * columns, into.size(), where);
    }
    return detail::get_rectangle(elements_, cut_, {r, c, rows, columns}, into, where);
  }
  /// Let that rectangle be `values`.
  completion<> put_tile(std::size_t r, std::size_t c, std::size_t rows, std::size_t columns,
                        std::span<const T> values,
                        std::source_location where =
                            std::source_location::current()) const requires writable<Access> {
    check(r, c, rows, columns, "put_tile", where);
    if (values.size() != rows * columns) [[unlikely]] {
      detail::lengths_differ(elements_.home(), rows * columns, values.size(), where);
    }
    return detail::put_rectangle(elements_, cut_, {r, c, rows, columns}, values, where);
  }
  completion<> get_row(std::size_t r, std::span<T> into,
                       std::source_location where = std::source_location::current()) const {
    return get_tile(r, 0, 1, columns(), into, where);
  }
  completion<> put_row(std::size_t r, std::span<const T> values,
                       std::source_location where =
                           std::source_location::current()) const requires writable<Access> {
    return put_tile(r, 0, 1, columns(), values, where);
  }

  // ---- the tiles that are here ----
  std::size_t local_tile_count() const {
    const std::size_t tile = cut_.tile_rows * cut_.tile_columns;
    return tile == 0 ? 0 : elements_.local_size() / tile;
  }
  /// Tile `k` of those that are here, in `local`: elements().local(), or what a guard gives of
  /// the whole array. Requires: k < local_tile_count().
  template <class E>
    requires std::same_as<std::remove_const_t<E>, T> tile_view<E> local_tile(std::size_t k,
                                                                             std::span<E> local)
  const {
    const std::size_t tile = cut_.tile_rows * cut_.tile_columns;
    const std::size_t number = elements_.global_index(k * tile) / tile;
    const std::size_t r = number / cut_.tiles_across() * cut_.tile_rows;
    const std::size_t c = number % cut_.tiles_across() * cut_.tile_columns;
    return {local.data() + k * tile,
            r,
            c,
            std::min(cut_.tile_rows, rows() - r),
            std::min(cut_.tile_columns, columns() - c),
            cut_.tile_columns};
  }
  /// The same where the local part is plain memory.
  auto local_tile(std::size_t k) const
      requires(!locked<Access> && !std::same_as<Access, access::atomic>) {
    return local_tile(k, elements_.local());
  }

  // ---- another access; as those of arrays ----
  /// Cost, requirements, errors: as array::into_read_only(). Collective.
  task<array_2d<T, access::read_only>> into_read_only(
      std::source_location where = std::source_location::current()) && {
    return convert<access::read_only>(this, where);
  }
  task<array_2d<T, access::unsafe>> into_unsafe(
      std::source_location where = std::source_location::current()) && {
    return convert<access::unsafe>(this, where);
  }
  task<array_2d<T, access::atomic>> into_atomic(
      std::source_location where = std::source_location::current()) && {
    return convert<access::atomic>(this, where);
  }

  // Travelling: the array and the shape.
  template <class Archive>
  void serialize(Archive& by) {
    by(elements_, cut_);
  }

 private:
  template <array_element, class>
  friend class array_2d;

  array_2d(array_type elements, const detail::tiling& cut)
      : elements_{std::move(elements)}, cut_{cut} {}

  static task<array_2d> create_tiles(detail::located_team of, detail::tiling cut) {
    detail::check_tiling(of, cut);
    const std::size_t tile = std::max<std::size_t>(1, cut.tile_rows * cut.tile_columns);
    auto making = array_type::create(std::move(of), cut.elements(), tile);
    co_return array_2d{co_await making, cut};
  }
  template <class To>
  static task<array_2d<T, To>> convert(array_2d* source, std::source_location where) {
    const detail::tiling cut = source->cut_;
    auto converting = [&] {
      if constexpr (std::same_as<To, access::read_only>) {
        return std::move(source->elements_).into_read_only(where);
      } else if constexpr (std::same_as<To, access::unsafe>) {
        return std::move(source->elements_).into_unsafe(where);
      } else {
        return std::move(source->elements_).into_atomic(where);
      }
    }();
    co_return array_2d<T, To>{co_await converting, cut};
  }

  void check(std::size_t r, std::size_t c, std::size_t rows, std::size_t columns,
             const char* what, std::source_location where) const {
    if (r > cut_.rows || rows > cut_.rows - r || c > cut_.columns || columns > cut_.columns - c)
        [[unlikely]] {
      detail::rectangle_outside(elements_.home(), what, {r, c, rows, columns}, cut_, where);
    }
  }

  array_type elements_;
  detail::tiling cut_;
};

}  // namespace lamellar
