// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/distributed_container.hpp>

namespace lamellar::detail {

std::string describe_container(std::string_view kind, const container_statistics& what) {
  return fmt::format(
      "{} of {} items on {} PEs: {} to {} items on each (imbalance {:.2f}), "
      "{:.1f} bytes an item",
      kind, what.items, what.members, what.fewest, what.most, what.imbalance(),
      what.bytes_per_item());
}

}  // namespace lamellar::detail
