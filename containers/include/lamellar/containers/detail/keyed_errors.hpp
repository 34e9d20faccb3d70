// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <lamellar/substrate/error.hpp>
#include <source_location>

// What goes wrong with maps, sets and counters.
namespace lamellar {

class world;

/// A map was asked for the value of a key that it does not have.
class no_such_key : public error {
 public:
  using error::error;
};

/// A count, or a sum of them, is 2^64 or more.
class count_overflow : public error {
 public:
  using error::error;
};

namespace detail {

/// Ends the job: a function of for_each has waited, and a message for the same container came.
[[noreturn]] void waited_in_visit(world& at);
/// Ends the job: `n` keys and `m` values.
[[noreturn]] void keys_and_values_differ(world& at, std::size_t keys, std::size_t values,
                                         std::source_location where);
/// Ends the job: two containers that are to be joined are not of the same PEs.
[[noreturn]] void differing_members(world& at, std::source_location where);
/// Ends the job: a multiset was to be joined with itself.
[[noreturn]] void joined_with_itself(world& at, std::source_location where);
[[noreturn]] void throw_no_such_key(std::source_location where);
/// `what`: as the subject of a sentence.
[[noreturn]] void throw_count_overflow(const char* what);
[[noreturn]] void throw_frozen();

}  // namespace detail

}  // namespace lamellar
