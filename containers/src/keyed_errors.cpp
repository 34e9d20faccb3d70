// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/detail/keyed_errors.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/world.hpp>

namespace lamellar::detail {

void waited_in_visit(world& at) {
  misuse(
      &engine_of(at),
      "a function given to for_each waited while it looked at an item, and a message for the "
      "same container arrived; collect what to ask for, and ask after for_each");
}

void keys_and_values_differ(world& at, std::size_t keys, std::size_t values,
                            std::source_location where) {
  misuse(&engine_of(at),
         fmt::format("{} keys and {} values; lists must be of equal length", keys, values),
         where);
}

void differing_members(world& at, std::source_location where) {
  misuse(&engine_of(at),
         "two containers can be joined only if they are of the same PEs in the same order; put "
         "the items of one into a container of the other's team first",
         where);
}

void joined_with_itself(world& at, std::source_location where) {
  misuse(&engine_of(at), "a multiset can be joined with another one only, not with itself",
         where);
}

void throw_frozen() {
  throw error{
      "id_map: a key that has no id yet, after freeze(); intern all keys before, or look them "
      "up "
      "with find()"};
}

void throw_no_such_key(std::source_location where) {
  throw no_such_key{fmt::format(
      "at(): the map does not have this key ({}:{}); find() says so without an exception",
      where.file_name(), where.line())};
}

void throw_count_overflow(const char* what) {
  throw count_overflow{
      fmt::format("counting_map: {} would exceed 2^64 - 1, where it stays", what)};
}

}  // namespace lamellar::detail
