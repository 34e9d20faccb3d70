// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/algorithms/copy.hpp>
#include <lamellar/algorithms/detail/graph_slots.hpp>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/select.hpp>
#include <lamellar/substrate/detail/engine.hpp>

namespace lamellar::detail {

void segments_differ(const engine* at, const char* what, std::uint32_t position,
                     std::size_t first, std::size_t second, std::source_location where) {
  misuse(at,
         fmt::format("{}: {} and {} elements at position {}; both ranges must have segments of "
                     "equal sizes",
                     what, first, second, position),
         where);
}

void orders_differ(const engine* at, const char* what, std::source_location where) {
  misuse(
      at,
      fmt::format("{}: the elements of the ranges are dealt out in different ways; both must "
                  "have the same layout (redistribute() gives another one)",
                  what),
      where);
}

void too_many_slots(const located_team& of, std::uint64_t slots) {
  misuse(&engine_of(of.value.where()),
         fmt::format(
             "graph: this PE has {} vertices and neighbours of them on other PEs, and 2^32 "
             "is the most; take more PEs",
             slots),
         of.where);
}

void sizes_differ(const engine* at, const char* what, std::size_t first, std::size_t second,
                  std::source_location where) {
  misuse(at,
         fmt::format("{}: a range of {} elements to one of {}; both must have as many", what,
                     first, second),
         where);
}

void no_such_rank(const engine* at, const char* what, std::uint64_t rank, std::uint64_t size,
                  std::source_location where) {
  misuse(at,
         fmt::format("{}: the element of rank {} of a range of {} elements; ranks are 0 to the "
                     "size less one",
                     what, rank, size),
         where);
}

}  // namespace lamellar::detail
