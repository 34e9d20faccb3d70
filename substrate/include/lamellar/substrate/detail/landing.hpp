// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/symmetric_heap.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <string>
#include <utility>
#include <vector>

// Memory into which peers place the items of an exchange, and how they learn where it is.
//
// It needs no quiesce to be given back, as regions do: when the exchange has ended on a PE all
// members have said that they write no more, and nobody knows the memory any longer.
//
// Thread-safety: a landing_memory as a plain value; the exchange of places: the body.
namespace lamellar::detail {

/// What a member tells each other one: where its items go.
struct landing_place {
  std::uint64_t key = 0;  ///< of the segment
  std::uint64_t segment_bytes = 0;
  std::uint64_t offset = 0;  ///< in the segment, of the place of the first item
  std::uint64_t first = 0;   ///< its number in the result
  bool refused = false;      ///< there is no memory
};

/// Memory of this PE's symmetric heap for as long as it lives; peers may write to it.
class landing_memory {
 public:
  landing_memory() noexcept = default;
  /// Throws: out_of_memory.
  landing_memory(engine& home, std::uint64_t count, std::size_t element_bytes);
  landing_memory(landing_memory&& other) noexcept
      : home_{std::exchange(other.home_, nullptr)}, block_{other.block_} {}
  landing_memory& operator=(landing_memory other) noexcept {
    std::swap(home_, other.home_);
    std::swap(block_, other.block_);
    return *this;
  }
  ~landing_memory();

  std::byte* data() const { return home_ == nullptr ? nullptr : block_.data; }
  const heap_block& block() const { return block_; }

 private:
  engine* home_ = nullptr;
  heap_block block_;
};

/// Exchange places with all members. Collective. `mine`: by position; `refusal`: why there is
/// no memory here, or empty. Throws: out_of_memory on all members, with the same text.
task<std::vector<landing_place>> exchange_landing_places(located_team of,
                                                         std::vector<landing_place> mine,
                                                         std::string refusal);

}  // namespace lamellar::detail
