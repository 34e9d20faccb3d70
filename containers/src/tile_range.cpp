// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/detail/tile_range.hpp>

namespace lamellar::detail {

void check_tiling(const located_team& of, const tiling& cut) {
  const bool some = cut.rows != 0 && cut.columns != 0;
  if (some && (cut.tile_rows == 0 || cut.tile_columns == 0)) {
    misuse(&engine_of(of.value.where()),
           fmt::format("array_2d::create: tiles of {} x {} elements", cut.tile_rows,
                       cut.tile_columns),
           of.where);
  }
}

void rectangle_outside(const engine* at, const char* what, const rectangle& of,
                       const tiling& in, std::source_location where) {
  misuse(at,
         of.rows == 1 && of.columns == 1
             ? fmt::format("array_2d: {} at ({}, {}) of {} x {} elements", what, of.row,
                           of.column, in.rows, in.columns)
             : fmt::format("array_2d: {} of {} x {} elements from ({}, {}) on, of {} x {}",
                           what, of.rows, of.columns, of.row, of.column, in.rows, in.columns),
         where);
}

}  // namespace lamellar::detail
