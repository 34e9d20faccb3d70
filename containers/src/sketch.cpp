// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/sketch.hpp>

namespace lamellar::detail {

void refuse_merge(const char* kind, std::uint64_t mine, std::uint64_t theirs) {
  throw sketch_mismatch{
      fmt::format("{}: sketches of sizes {} and {} cannot be merged; make all of one size",
                  kind, mine, theirs)};
}

void refuse_size(const char* kind, const char* what, double value) {
  throw error{fmt::format("{}: wants {}; this is {}", kind, what, value)};
}

}  // namespace lamellar::detail
