// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

// Where a PE counts what it does, when statistics are wanted.
//
// Thread-safety: any thread of the PE counts; relaxed, for nothing depends on it.
namespace lamellar::detail {

/// What was sent to PEs at one distance; see traffic_statistics.
struct traffic_book {
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> answers{0};
  std::atomic<std::uint64_t> lines{0};
  std::atomic<std::uint64_t> runs{0};
  std::atomic<std::uint64_t> buffers{0};
  std::atomic<std::uint64_t> bytes{0};
};

struct statistics_books {
  struct handler_book {
    std::atomic<std::uint64_t> records{0};
    std::atomic<std::uint64_t> runs{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> nanoseconds{0};
  };
  explicit statistics_books(std::size_t handlers) : by_handler(handlers) {}

  std::vector<handler_book> by_handler;  // in the order of handler numbers
  traffic_book to_self;
  traffic_book to_host;
  traffic_book to_network;
  std::atomic<std::uint64_t> waited_ns{0};
};

}  // namespace lamellar::detail
