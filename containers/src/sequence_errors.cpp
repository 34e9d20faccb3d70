// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/checkpoint.hpp>
#include <lamellar/containers/detail/sequence_errors.hpp>

namespace lamellar::detail {

void no_such_id(const team& members, const char* what, std::uint64_t id, std::size_t size,
                std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("disjoint_set: {} of number {} in a set of the {} numbers below {}", what,
                     id, size, size),
         where);
}

void too_many_ids(const team& members, std::size_t size, std::uint64_t most,
                  std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("disjoint_set::create: {} numbers, but their type ends at {}; use "
                     "disjoint_set<std::uint64_t>",
                     size, most),
         where);
}

void check_equal_sizes(const located_team& of, const char* what,
                       const std::vector<std::uint64_t>& asked) {
  for (std::uint32_t k = 1; k < asked.size(); ++k) {
    if (asked[k] != asked[0]) {
      misuse(&engine_of(of.value.where()),
             fmt::format("{}: PE {} asks for {}, PE {} for {}; all must ask for the same", what,
                         of.value.at(team_position{0}).index(), asked[0],
                         of.value.at(team_position{k}).index(), asked[k]),
             of.where);
    }
  }
}

void not_frozen(const team& members, std::string_view kind, const char* what,
                std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("{0}: {1} of a {0} that may grow; all its members freeze() it first", kind,
                     what),
         where);
}

void still_frozen(const team& members, std::string_view kind, const char* what,
                  std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("{0}: {1} in a {0} that is frozen; all its members thaw() it first", kind,
                     what),
         where);
}

void no_room_to_restore(const std::string& path, std::uint64_t items, std::uint64_t there,
                        std::uint64_t capacity) {
  throw checkpoint_error{fmt::format(
      "cannot restore {}: it has {} items, and the channel has {} and room for {} in "
      "all; make one with room for them",
      path, items, there, capacity)};
}

void no_capacity(const located_team& of) {
  misuse(&engine_of(of.value.where()),
         "channel::create: room for no item; a channel has a capacity of 1 or more", of.where);
}

void outside_vector(const team& members, const char* what, std::size_t i, std::size_t size,
                    std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("vector: {} of item {} of a vector of {} items", what, i, size), where);
}

}  // namespace lamellar::detail
