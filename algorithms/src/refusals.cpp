// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/algorithms/sort.hpp>
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

}  // namespace lamellar::detail
