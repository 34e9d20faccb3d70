// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>

// The number of a PE in its world, as a type that is not an integer, so that it cannot be mixed
// up with an index or a count.
namespace lamellar {

class pe {
 public:
  constexpr pe() = default;
  constexpr explicit pe(std::uint32_t index) : index_{index} {}

  /// 0 to world.size() - 1.
  constexpr std::uint32_t index() const { return index_; }
  friend constexpr auto operator<=>(pe, pe) = default;

 private:
  std::uint32_t index_ = 0;
};

}  // namespace lamellar
