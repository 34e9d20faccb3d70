// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

// What a PE has done to memory regions, for its statistics.
//
// Thread-safety: any thread adds, relaxed; they are read when the job ends.
namespace lamellar::detail {

struct region_counts {
  std::atomic<std::uint64_t> bytes_put{0};
  std::atomic<std::uint64_t> bytes_got{0};
  std::atomic<std::uint64_t> atomics{0};
  std::atomic<std::uint64_t> by_message{0};  ///< operations that took a message
  std::atomic<std::uint64_t> by_network{0};  ///< that the network did by itself
};

}  // namespace lamellar::detail
