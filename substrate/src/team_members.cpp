// SPDX-License-Identifier: BSD-3-Clause
// Who is in a team, and what is said to those who ask for somebody else.
#include <fmt/format.h>

#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/team.hpp>

namespace lamellar {

using detail::team_part;

pe team::at(team_position position, std::source_location where) const {
  return pe{checked({position, where})};
}

void team::refuse_empty(std::source_location where) {
  detail::misuse(nullptr,
                 "a team is used that is empty: it was never assigned to, was moved away, or "
                 "came from a split() without a colour",
                 where);
}

std::uint32_t team::checked(const detail::located_position& to) const {
  const team_part& p = part(to.where);
  return p.members.at(
      detail::team_access::position_of(*this, detail::located_member{to.value, to.where}));
}

std::uint32_t detail::team_access::position_of(const team& of, const located_member& member) {
  const team_part& p = of.part(member.where);
  if (member.is_position) {
    if (member.number >= p.members.size()) {
      misuse(p.home,
             fmt::format("there is no position {} in a team of {} PEs", member.number,
                         p.members.size()),
             member.where);
    }
    return member.number;
  }
  checked(*p.home, located_pe{pe{member.number}, member.where});
  const std::optional<std::uint32_t> position = p.members.position_of(member.number);
  if (!position) {
    misuse(p.home,
           fmt::format("PE {} is no member of the team of {} PEs whose group a message to it "
                       "was given to",
                       member.number, p.members.size()),
           member.where);
  }
  return *position;
}

std::optional<team_position> team::position_of(pe which) const {
  const std::optional<std::uint32_t> found = part().members.position_of(which.index());
  return found ? std::optional{team_position{*found}} : std::nullopt;
}

team_position team::position(std::source_location where) const {
  const team_part& p = part(where);
  if (p.position == team_part::nowhere) {
    detail::misuse(p.home, "position() of a PE that is no member of the team", where);
  }
  return team_position{p.position};
}

team team::arrived(detail::engine& home, std::uint32_t number) {
  if (number == 0) {
    return team{home.facade()};
  }
  detail::object_entry& entry = detail::find_object(home, number, typeid(team_part));
  entry.arrivals.fetch_add(1, std::memory_order_relaxed);
  return team{detail::object_handle{&home, &entry}};
}

}  // namespace lamellar
