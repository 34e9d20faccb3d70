// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/pipeline.hpp>

namespace lamellar::detail {

void refuse_zip(std::size_t length, std::size_t other) {
  if (length != other) {
    throw layout_mismatch(fmt::format(
        "zip(): one pipeline has {} positions, the other {}: cut them to one length by take()",
        length, other));
  }
  throw layout_mismatch(
      "zip(): items at equal positions lie on different PEs: the arrays need the same size, "
      "layout and PEs, and views the same first index");
}

}  // namespace lamellar::detail
