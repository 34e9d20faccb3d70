// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/member_list.hpp>
#include <lamellar/substrate/detail/region_access.hpp>
#include <lamellar/substrate/detail/symmetric_heap.hpp>
#include <lamellar/substrate/team.hpp>
#include <string>
#include <string_view>
#include <vector>

// One PE's part of a shared memory region: its memory, and where the parts of the others are
// mapped here. The parts make up a darc, which is what keeps them alive.
//
// Thread-safety: constant from when it is made.
namespace lamellar::detail {

/// What all PEs must agree on.
struct region_shape {
  std::uint64_t count = 0;  ///< elements on each PE
  std::uint64_t element_bytes = 0;
  std::string element;  ///< the name of their type

  friend bool operator==(const region_shape&, const region_shape&) = default;
};

struct region_part {
  static constexpr bool concurrent_handlers = true;
  static constexpr std::string_view heap_name = "shared_memory_region";

  region_part(engine* at, std::uint64_t bytes_of_element, std::uint64_t elements,
              heap_block own, std::vector<std::byte*> mapped,
              std::vector<network_place> unmapped, member_list all);
  ~region_part();
  region_part(const region_part&) = delete;
  region_part& operator=(const region_part&) = delete;

  // All are constant.
  engine* home;
  std::uint64_t element_bytes;
  std::uint64_t count;  // elements on each PE
  heap_block block;     // this PE's memory
  // By PE: its memory as mapped here, or nullptr: it has to be reached by messages.
  std::vector<std::byte*> bases;
  // By PE: where the network reaches what is not mapped; empty if it reaches none.
  std::vector<network_place> places;
  member_list members;  // the PEs that have a part
};

inline const network_place* place_at(const region_part& part, std::uint32_t pe) {
  return part.places.empty() || part.places[pe].memory.reachable == 0 ? nullptr
                                                                      : &part.places[pe];
}

using darc_of_parts = darc<region_part>;

/// Make the parts of a region. Collective over the team. Misuse: PEs that do not want the same.
/// Throws: out_of_memory, the same on all PEs.
task<darc_of_parts> create_region(located_team of, region_shape wanted);

/// Ends the job if `to` has no part.
void check_member(const darc_of_parts& parts, const located_pe& to);

/// One for many.
task<> all_of_them(std::vector<completion<>> each);

}  // namespace lamellar::detail
