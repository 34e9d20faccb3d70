// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/detail/region_part.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Rectangles of an array that is cut into tiles, as ranges of its indices.
namespace lamellar::detail {

/// How rows x columns elements are cut.
struct tiling {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t tile_rows = 1;
  std::size_t tile_columns = 1;

  std::size_t tiles_across() const {
    return columns == 0 ? 0 : (columns + tile_columns - 1) / tile_columns;
  }
  /// Of all tiles together.
  std::size_t elements() const {
    return rows == 0
               ? 0
               : (rows + tile_rows - 1) / tile_rows * tile_rows * tiles_across() * tile_columns;
  }
  std::size_t index(std::size_t r, std::size_t c) const {
    return ((r / tile_rows * tiles_across() + c / tile_columns) * tile_rows + r % tile_rows) *
               tile_columns +
           c % tile_columns;
  }
};

struct rectangle {
  std::size_t row;
  std::size_t column;
  std::size_t rows;
  std::size_t columns;
};

/// Ends the job: a tile of no elements.
void check_tiling(const located_team& of, const tiling& cut);
/// Ends the job: a rectangle, or an element, is not inside.
[[noreturn]] void rectangle_outside(const engine* at, const char* what, const rectangle& of,
                                    const tiling& in, std::source_location where);

/// Call f(index, place, n) for each range of indices that a rectangle has; `place` counts its
/// elements row by row.
template <class F>
void each_range(const tiling& cut, const rectangle& of, F f) {
  if (of.columns == cut.columns && cut.columns == cut.tile_columns) {
    if (of.rows != 0 && of.columns != 0) {
      f(cut.index(of.row, 0), std::size_t{0}, of.rows * of.columns);  // whole rows
    }
    return;
  }
  for (std::size_t c = of.column; c < of.column + of.columns;) {
    const std::size_t width =
        std::min(of.column + of.columns, (c / cut.tile_columns + 1) * cut.tile_columns) - c;
    // Rows of the rectangle that are rows of the tile lie together on both sides.
    const bool joined = width == cut.tile_columns && width == of.columns;
    for (std::size_t r = of.row; r < of.row + of.rows;) {
      const std::size_t in_tile =
          std::min(of.row + of.rows, (r / cut.tile_rows + 1) * cut.tile_rows) - r;
      const std::size_t height = joined ? in_tile : 1;
      f(cut.index(r, c), (r - of.row) * of.columns + (c - of.column), height * width);
      r += height;
    }
    c += width;
  }
}

/// Get all ranges to memory of its own, then to their place in one go.
template <class Array>
task<> fetch_rectangle(Array from, tiling cut, rectangle of, std::shared_ptr<landing> into) {
  using T = typename Array::value_type;
  const counted_as_work until_it_is_there{*from.home()};
  const std::size_t n = of.rows * of.columns;
  const std::unique_ptr<T[]> got{new T[n]()};
  std::vector<completion<>> under_way;
  each_range(cut, of, [&](std::size_t i, std::size_t place, std::size_t count) {
    completion<> one = from.get(i, std::span<T>{got.get() + place, count}, into->where);
    if (!one.ready()) {
      under_way.push_back(std::move(one));
    }
  });
  for (completion<>& each : under_way) {
    co_await each;
  }
  const std::lock_guard lock{into->mutex};
  if (into->at != nullptr) {
    std::move(got.get(), got.get() + n, reinterpret_cast<T*>(into->at));
  }
}

template <class Array, class T = typename Array::value_type>
completion<> get_rectangle(const Array& from, const tiling& cut, const rectangle& of,
                           std::span<T> into, std::source_location where) {
  if (into.empty()) {
    return {};
  }
  if constexpr (Array::access_type::template direct_reads<T>) {
    if (from.part()->all_reached()) [[likely]] {
      each_range(cut, of, [&](std::size_t i, std::size_t place, std::size_t count) {
        from.get(i, into.subspan(place, count), where).get();  // done already
      });
      return {};
    }
  }
  auto place = make_landing(from.home(), into, where);
  reply<> rest{fetch_rectangle(from, cut, of, place)};
  return {std::move(rest), std::move(place)};
}

template <class Array, class T = typename Array::value_type>
completion<> put_rectangle(const Array& to, const tiling& cut, const rectangle& of,
                           std::span<const T> values, std::source_location where) {
  std::vector<completion<>> under_way;
  each_range(cut, of, [&](std::size_t i, std::size_t place, std::size_t count) {
    completion<> one = to.put(i, values.subspan(place, count), where);
    if (!one.ready()) {
      under_way.push_back(std::move(one));
    }
  });
  return under_way.empty() ? completion<>{}
                           : completion<>{reply<>{all_of_them(std::move(under_way))}};
}

}  // namespace lamellar::detail
