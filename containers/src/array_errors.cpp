// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/array_operations.hpp>
#include <lamellar/containers/detail/array_errors.hpp>

namespace lamellar::detail {

void index_outside(const engine* at, const char* what, std::size_t i, std::size_t size,
                   std::source_location where) {
  misuse(at, fmt::format("array: {} at index {} of an array of {} elements", what, i, size),
         where);
}

void range_outside(const engine* at, const char* what, std::size_t first, std::size_t count,
                   std::size_t size, std::source_location where) {
  misuse(at,
         fmt::format("array: {} of {} elements from index {} on, in an array of {} elements",
                     what, count, first, size),
         where);
}

void lengths_differ(const engine* at, std::size_t places, std::size_t values,
                    std::source_location where) {
  misuse(at,
         fmt::format("array: {} places and {} values; lists must be of equal length", places,
                     values),
         where);
}

void refuse_operand(const char* what, std::source_location where) {
  throw bad_operand{fmt::format("array: {} ({}:{})", what, where.file_name(), where.line())};
}

void check_terms(const located_team& of, const std::vector<array_terms>& all) {
  for (std::uint32_t k = 1; k < all.size(); ++k) {
    const char* differ = all[k].kind != all[0].kind           ? "of another type"
                         : all[k].settings != all[0].settings ? "with another layout"
                         : all[k].size != all[0].size         ? "of another size"
                                                              : nullptr;
    if (differ != nullptr) {
      misuse(&engine_of(of.value.where()),
             fmt::format("array::create: PE {} asks for an array of {} elements, PE {} for one "
                         "{} ({} elements); all PEs must ask for the same",
                         of.value.at(team_position{0}).index(), all[0].size,
                         of.value.at(team_position{k}).index(), differ, all[k].size),
             of.where);
    }
  }
}

}  // namespace lamellar::detail
