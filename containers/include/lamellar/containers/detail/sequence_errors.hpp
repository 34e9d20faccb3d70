// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/team.hpp>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

// What disjoint sets, queues, bags and sketches refuse, in words.
namespace lamellar::detail {

/// A value, and the line of the program that gave it.
template <class T>
struct located_value {
  T value;
  std::source_location where;
  located_value(T v, std::source_location at = std::source_location::current())  // NOLINT
      : value{v}, where{at} {}
};

/// Ends the job: there is no number `id` in a disjoint set of `size`.
[[noreturn]] void no_such_id(const team& members, const char* what, std::uint64_t id,
                             std::size_t size, std::source_location where);
/// Ends the job: the type of ids counts to `most` only.
[[noreturn]] void too_many_ids(const team& members, std::size_t size, std::uint64_t most,
                               std::source_location where);
/// Ends the job if the PEs, in the order of positions, do not ask for the same.
void check_equal_sizes(const located_team& of, const char* what,
                       const std::vector<std::uint64_t>& asked);

/// Ends the job: a container that must be frozen is not.
[[noreturn]] void not_frozen(const team& members, std::string_view kind, const char* what,
                             std::source_location where);
/// Ends the job: a container that must grow is frozen.
[[noreturn]] void still_frozen(const team& members, std::string_view kind, const char* what,
                               std::source_location where);
/// Throws checkpoint_error: more items than a channel has room for.
[[noreturn]] void no_room_to_restore(const std::string& path, std::uint64_t items,
                                     std::uint64_t there, std::uint64_t capacity);
/// Ends the job: a channel that has room for nothing.
[[noreturn]] void no_capacity(const located_team& of);
/// Ends the job: there is no item `i` in a vector of `size`.
[[noreturn]] void outside_vector(const team& members, const char* what, std::size_t i,
                                 std::size_t size, std::source_location where);

}  // namespace lamellar::detail
