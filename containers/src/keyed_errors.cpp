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
