// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/team.hpp>
#include <source_location>
#include <span>
#include <string>
#include <vector>

// What arrays refuse, in words.
namespace lamellar::detail {

/// Ends the job: element `i` is not in an array of `size`.
[[noreturn]] void index_outside(const engine* at, const char* what, std::size_t i,
                                std::size_t size, std::source_location where);
/// Ends the job: elements [first, first + count) are not in an array of `size`.
[[noreturn]] void range_outside(const engine* at, const char* what, std::size_t first,
                                std::size_t count, std::size_t size,
                                std::source_location where);
/// Ends the job: lists of different lengths.
[[noreturn]] void lengths_differ(const engine* at, std::size_t places, std::size_t values,
                                 std::source_location where);
/// Throws: bad_operand.
[[noreturn]] void refuse_operand(const char* what, std::source_location where);

/// What all PEs must agree on when an array is made.
struct array_terms {
  std::uint64_t size = 0;
  std::uint64_t kind = 0;      ///< of element type, layout and access
  std::uint64_t settings = 0;  ///< of the layout
};
/// Ends the job if they do not.
void check_terms(const located_team& of, const std::vector<array_terms>& all);

}  // namespace lamellar::detail
