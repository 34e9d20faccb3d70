// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/array_copy.hpp>

namespace lamellar::detail {

bool is_part_of(const team& some, const team& all) {
  for (std::uint32_t k = 0; k < some.size(); ++k) {
    if (!all.contains(some.at(team_position{k}))) {
      return false;
    }
  }
  return true;
}

bool same_positions(const team& a, const team& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::uint32_t k = 0; k < a.size(); ++k) {
    if (a.at(team_position{k}) != b.at(team_position{k})) {
      return false;
    }
  }
  return true;
}

void cannot_copy(const engine* at, std::size_t from, std::size_t to,
                 std::source_location where) {
  misuse(at,
         from == to
             ? std::string{"copy: neither array's team has all PEs of the other's; somebody "
                           "must have handles of both"}
             : fmt::format("copy: from an array of {} elements to one of {}; views of equal "
                           "size are copied: sub_array(first, count)",
                           from, to),
         where);
}

void cannot_resize_view(const engine* at, std::source_location where) {
  misuse(at, "resize: this is a view of a part of an array; resize the array", where);
}

}  // namespace lamellar::detail
