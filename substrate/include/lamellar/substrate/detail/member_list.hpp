// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// An ordered set of PEs. Evenly spaced ones take three words, however many they are.
//
// Thread-safety: constant after construction.
namespace lamellar::detail {

class member_list {
 public:
  /// PEs first, first + stride, ...: `count` of them.
  member_list(std::uint32_t first, std::uint32_t stride, std::uint32_t count)
      : first_{first}, stride_{stride}, count_{count} {}
  /// These PEs, in this order. Requires: no PE twice.
  explicit member_list(std::vector<std::uint32_t> pes);

  std::uint32_t size() const { return count_; }
  /// Requires: position < size().
  std::uint32_t at(std::uint32_t position) const {
    return listed_.empty() ? first_ + position * stride_ : listed_[position];
  }
  /// Where `pe` stands, if it is in the set. Cost: logarithmic if the PEs are listed.
  std::optional<std::uint32_t> position_of(std::uint32_t pe) const;

 private:
  std::uint32_t first_ = 0;
  std::uint32_t stride_ = 1;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> listed_;                           // empty: evenly spaced
  std::vector<std::pair<std::uint32_t, std::uint32_t>> by_pe_;  // (PE, position), sorted
};

}  // namespace lamellar::detail
