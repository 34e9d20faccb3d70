// SPDX-License-Identifier: BSD-3-Clause
// How the PEs of a team agree on a new object: its number, and when all have their part.
#include <lamellar/substrate/detail/checked_build.hpp>
#include <lamellar/substrate/detail/collective.hpp>
#include <lamellar/substrate/team.hpp>
#include <memory>
#include <utility>

namespace lamellar::detail {

std::shared_ptr<const member_list> holders_of(const team& of) {
  const team_part& part = team_access::part(of);
  return part.number == 0 ? nullptr : std::make_shared<const member_list>(part.members);
}

task<std::uint32_t> number_object(located_team of, std::uint64_t agreed) {
  engine& home = engine_of(of.value.where());
  if (team_access::part(of.value).number == 0) {
    co_return home.next_object_number();
  }
  const collective here{of, collective_kind::object_creation, agreed};
  if constexpr (checked_build) {
    co_await here.agree();
  }
  letter_bytes mine;
  if (here.position() == 0) {
    mine = bytes_of(home.next_team_object_number());
  }
  co_return value_of<std::uint32_t>(co_await here.spread(0, std::move(mine), 0));
}

task<> object_made(located_team of, std::uint32_t number, std::uint64_t agreed) {
  const std::uint64_t kind = fingerprint{}.add(agreed).add(number);
  if (team_access::part(of.value).number == 0) {
    co_await engine_of(of.value.where()).barrier(of.where, kind | 1);
    co_return;
  }
  const collective here{of, collective_kind::object_creation, kind};
  if constexpr (checked_build) {
    co_await here.agree();
  }
  co_await here.meet(collective::last_steps);
}

}  // namespace lamellar::detail
