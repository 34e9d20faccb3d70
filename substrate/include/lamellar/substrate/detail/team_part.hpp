// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/detail/member_list.hpp>

// What a PE knows of a team: its members, and how many collectives it has begun with them.
//
// Thread-safety: the members are constant; the count belongs to the main thread.
namespace lamellar::detail {

class engine;

struct team_part {
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};

  engine* home;
  std::uint32_t number;  ///< as an object; 0: all PEs
  member_list members;
  std::uint32_t position;  ///< of this PE, or nowhere
  std::uint32_t collectives = 0;
};

}  // namespace lamellar::detail
