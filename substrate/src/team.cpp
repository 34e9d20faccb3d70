// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lamellar/substrate/detail/checked_build.hpp>
#include <lamellar/substrate/detail/collective.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/team.hpp>
#include <memory>
#include <utility>

namespace lamellar {

namespace detail {

namespace {

/// What a PE brings to a split.
struct choice {
  std::uint32_t has_colour;
  std::uint32_t colour;
  std::uint32_t key;
  std::uint32_t number;  // for the team, if this PE turns out to be its first
};

/// Make this PE's part of a team.
object_handle enter(engine& home, std::uint32_t number,
                    std::shared_ptr<const member_list> holders, member_list members) {
  auto entry = std::make_unique<object_entry>(home.threads() > 1);
  const std::uint32_t position = members.position_of(home.me()).value_or(team_part::nowhere);
  entry->number = number;
  entry->part = new team_part{&home, number, std::move(members), position};
  entry->destroy = [](void* part) { delete static_cast<team_part*>(part); };
  entry->type = typeid(team_part).name();
  entry->members = std::move(holders);
  object_entry* const here = entry.get();
  home.objects().insert(std::move(entry));
  return {&home, here};
}

}  // namespace

}  // namespace detail

using detail::collective;
using detail::collective_kind;
using detail::letter_bytes;
using detail::located_team;
using detail::team_part;

namespace {

task<> meet_members(team of, std::source_location where) {
  const located_team here{std::move(of), where};
  const collective c{here, collective_kind::barrier};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  co_await c.meet(0);
}

task<> quiesce_members(team of, std::source_location where) {
  const located_team here{of, where};
  const collective c{here, collective_kind::quiesce};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  detail::engine& home = c.home();
  const detail::member_list& members = detail::team_access::part(of).members;
  struct report {
    std::uint64_t sent;
    std::uint64_t failures;
  };
  // Nothing is under way once all members have seen all that they had sent handled, twice, and
  // have sent nothing in between.
  std::uint64_t before = ~std::uint64_t{0};
  report sum{};
  for (std::uint32_t round = 0;; ++round) {
    // What was sent is read first: what is sent between the two looks shows in the next round.
    home.flush(home.here());
    std::uint64_t sent = home.runs_sent();
    while (!home.all_handled_by(members)) {
      co_await detail::engine::next_poll{&home};
      home.flush(home.here());
      sent = home.runs_sent();
    }
    const report mine{sent, home.failures()};
    sum = {};
    for (const letter_bytes& one : co_await c.exchange(detail::bytes_of(mine), 64 * round)) {
      const auto theirs = detail::value_of<report>(one);
      sum.sent += theirs.sent;
      sum.failures += theirs.failures;
    }
    if (sum.sent == before) {
      break;
    }
    before = sum.sent;
  }
  if (sum.failures != 0) {
    co_await c.throw_failures(~std::uint32_t{0} - 64);
  }
}

}  // namespace

task<> team::barrier(std::source_location where) const {
  return part(where).number == 0 ? part().home->barrier(where, 0) : meet_members(*this, where);
}

task<> team::quiesce(std::source_location where) const {
  return part(where).number == 0 ? part().home->quiesce(where) : quiesce_members(*this, where);
}

task<team> team::make(team parent, std::vector<std::uint32_t> positions,
                      std::source_location where) {
  const located_team here{parent, where};
  detail::fingerprint print;
  for (const std::uint32_t position : positions) {
    print.add(position);
  }
  const collective c{here, collective_kind::team_creation, print};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  const detail::member_list& all = detail::team_access::part(parent).members;
  std::vector<std::uint32_t> pes;
  for (const std::uint32_t position : positions) {
    if (position >= all.size()) {
      c.misused(
          fmt::format("a team needs position {} of a team of {} PEs", position, all.size()));
    }
    pes.push_back(all.at(position));
  }
  std::vector<std::uint32_t> sorted = pes;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty() || std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    c.misused(sorted.empty() ? "a team without members" : "a team in which a PE stands twice");
  }
  letter_bytes number;
  if (c.position() == 0) {
    number = detail::bytes_of(c.home().next_team_object_number());
  }
  number = co_await c.spread(0, std::move(number), 0);
  team made{detail::enter(c.home(), detail::value_of<std::uint32_t>(number),
                          detail::holders_of(parent), detail::member_list{std::move(pes)})};
  co_await c.meet(collective::last_steps);
  co_return made;
}

task<team> team::block(std::uint32_t first, std::uint32_t count,
                       std::source_location where) const {
  return strided(first, 1, count, where);
}

task<team> team::strided(std::uint32_t first, std::uint32_t stride, std::uint32_t count,
                         std::source_location where) const {
  std::vector<std::uint32_t> positions;
  for (std::uint32_t k = 0; k < count; ++k) {
    // Beyond the end is one thing that make() refuses, however large.
    const std::uint64_t next = first + std::uint64_t{stride} * k;
    positions.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(next, size())));
    if (next >= size()) {
      break;
    }
  }
  return make(*this, std::move(positions), where);
}

task<team> team::subteam(std::vector<team_position> members, std::source_location where) const {
  std::vector<std::uint32_t> positions;
  for (const team_position member : members) {
    positions.push_back(member.index());
  }
  return make(*this, std::move(positions), where);
}

task<team> team::split(std::optional<std::uint32_t> colour, std::uint32_t key,
                       std::source_location where) const {
  return split_of(*this, colour, key, where);
}

task<team> team::split_of(team parent, std::optional<std::uint32_t> colour, std::uint32_t key,
                          std::source_location where) {
  const located_team here{parent, where};
  const collective c{here, collective_kind::team_creation, detail::fingerprint{}.add("split")};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  detail::engine& home = c.home();
  const detail::member_list& all = detail::team_access::part(parent).members;
  const detail::choice mine{colour.has_value(), colour.value_or(0), key,
                            colour ? home.next_team_object_number() : 0};
  struct candidate {
    std::uint32_t key;
    std::uint32_t position;
    std::uint32_t number;
  };
  std::vector<candidate> group;
  std::uint32_t position = 0;
  for (const letter_bytes& one : co_await c.exchange(detail::bytes_of(mine), 0)) {
    const auto theirs = detail::value_of<detail::choice>(one);
    if (colour && theirs.has_colour != 0 && theirs.colour == *colour) {
      group.push_back({theirs.key, position, theirs.number});
    }
    ++position;
  }
  std::sort(group.begin(), group.end(), [](const candidate& a, const candidate& b) {
    return std::pair{a.key, a.position} < std::pair{b.key, b.position};
  });
  team made;
  if (colour) {
    std::vector<std::uint32_t> pes;
    for (const candidate& member : group) {
      pes.push_back(all.at(member.position));
    }
    const detail::member_list members{std::move(pes)};
    made = team{detail::enter(home, group.front().number,
                              std::make_shared<const detail::member_list>(members), members)};
  }
  co_await c.meet(collective::last_steps);
  co_return made;
}

task<team> team::by_host(std::source_location where) const {
  return split(part().home->transport().host_of(part().home->me()), 0, where);
}

}  // namespace lamellar
