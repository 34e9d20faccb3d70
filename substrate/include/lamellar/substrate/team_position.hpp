// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>

// The place of a PE in a team. Not the number of a PE: neither converts to the other, so that a
// program which mixes them up does not compile.
namespace lamellar {

class team_position {
 public:
  constexpr team_position() = default;
  constexpr explicit team_position(std::uint32_t index) : index_{index} {}

  /// 0 to team.size() - 1.
  constexpr std::uint32_t index() const { return index_; }
  friend constexpr auto operator<=>(team_position, team_position) = default;

 private:
  std::uint32_t index_ = 0;
};

}  // namespace lamellar
