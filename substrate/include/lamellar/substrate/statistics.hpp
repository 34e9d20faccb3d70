// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What a PE has done so far, as world::statistics() gives it and as the job prints it at its
// end. Counted only with LAMELLAR_STATISTICS=1; else all is zero.
namespace lamellar {

namespace detail {
/// a / b; 0 where there is nothing to divide by.
inline double per(std::uint64_t a, std::uint64_t b) {
  return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
}
}  // namespace detail

/// What one handler has done on this PE.
struct handler_statistics {
  std::string name;
  std::uint64_t records = 0;      ///< messages
  std::uint64_t runs = 0;         ///< rows of like messages in which they came
  std::uint64_t bytes = 0;        ///< of their arguments
  std::uint64_t nanoseconds = 0;  ///< in the handler, others that ran inside it included
};

/// What this PE has sent to PEs at one distance: the program's messages, and those of the
/// library itself (releases, letters of collectives, acknowledgements).
struct traffic_statistics {
  std::uint64_t messages = 0;  ///< calls included, answers not
  std::uint64_t answers = 0;   ///< to calls, in buffers; this PE's own calls need none
  std::uint64_t lines = 0;     ///< those of the messages that went alone, over a line, with
                               ///< their answer coming back on it
  std::uint64_t runs = 0;      ///< rows of like messages or answers, in buffers
  std::uint64_t buffers = 0;
  std::uint64_t bytes = 0;  ///< of buffers

  /// How many runs share a buffer, on average.
  double runs_per_buffer() const { return detail::per(runs, buffers); }
  /// How many messages or answers share a run, on average.
  double records_per_run() const { return detail::per(messages - lines + answers, runs); }
};

struct statistics {
  std::vector<handler_statistics> handlers;  ///< those that ran, by name
  traffic_statistics to_self;
  traffic_statistics to_host;            ///< to other PEs of this host
  traffic_statistics to_network;         ///< to PEs of other hosts
  std::uint64_t waited_nanoseconds = 0;  ///< the main thread, with nothing to do
  std::uint64_t most_buffer_bytes = 0;   ///< private buffers, at any one time
  std::uint64_t most_heap_bytes = 0;     ///< of the symmetric heap, at any one time
  std::uint64_t region_bytes_put = 0;
  std::uint64_t region_bytes_got = 0;
  std::uint64_t region_atomics = 0;
  std::uint64_t region_messages = 0;   ///< operations on regions that took a message
  std::uint64_t region_transfers = 0;  ///< and those that the network did by itself
};

}  // namespace lamellar
