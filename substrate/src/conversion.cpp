// SPDX-License-Identifier: BSD-3-Clause
// Whether a distributed object may become one of another kind: nobody else may hold it.
#include <fmt/format.h>

#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>

namespace lamellar::detail {

namespace {

struct holdings {
  std::uint64_t handles;
  std::uint32_t guards;
};

struct count_holdings {
  holdings operator()(context& at, std::uint32_t number) const {
    const object_entry* of = engine_of(at.world()).objects().find(number);
    return of == nullptr ? holdings{0, 0} : holdings{of->handles.load(), of->guards.load()};
  }
};

/// "1 handle", "2 handles".
std::string some(std::uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

void nothing_to_convert(const char* into, std::source_location where) {
  misuse(
      nullptr,
      fmt::format("an empty handle cannot become a {}: it was moved away, or never made", into),
      where);
}

task<> await_sole_handles(located_team all, object_entry& of, std::string from,
                          std::string into) {
  const team members = all.value;
  const std::source_location where = all.where;
  co_await members.quiesce(where);
  auto asked = members.call_all(count_holdings{}, of.number);
  const std::vector<holdings> held = co_await asked;
  // All PEs have counted before anybody goes on: they come to the same result.
  co_await object_made(all, of.number, kind_of_object(typeid(holdings)));
  std::string who;
  for (std::uint32_t position = 0; position < held.size(); ++position) {
    const holdings& its = held[position];
    const std::uint32_t pe = members.at(team_position{position}).index();
    const std::uint64_t others = its.handles - its.guards - 1;  // beside the one that it brings
    if (others != 0) {
      who += fmt::format("; PE {} holds {} beside the one to be converted", pe,
                         some(others, "handle"));
    }
    if (its.guards != 0) {
      who += fmt::format("; PE {} holds {}", pe, some(its.guards, "guard"));
    }
  }
  if (!who.empty()) {
    throw still_referenced(
        fmt::format("object {}, a {}, cannot become a {} while it is in use{}; let go of these "
                    "and convert again, the handles are as before ({}:{})",
                    of.number, from, into, who, where.file_name(), where.line()));
  }
}

}  // namespace lamellar::detail
