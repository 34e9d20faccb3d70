// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <span>
#include <string>
#include <vector>

// What handlers threw where nobody waits for their result: how often, and the first of it. It
// is kept until somebody asks, or told to all PEs.
//
// Thread-safety: a failure_log is a plain value; a failure_collector serves any thread.
namespace lamellar::detail {

/// One thing that a handler threw.
struct failure {
  std::uint32_t on = 0;  ///< the PE where it happened
  std::string handler;
  std::string text;
};

struct failure_log {
  std::uint64_t count = 0;
  failure first;

  /// `more` failures, the first of which is `one`.
  void add(std::uint64_t more, const failure& one);
  /// Throws: remote_error, if there is anything in it.
  void rethrow() const;
};

/// A log as bytes, and the sum of the logs of all PEs: its first is that of the first of them
/// that has any.
std::vector<std::byte> bytes_of_log(const failure_log& log);
failure_log sum_of_logs(std::span<const std::vector<std::byte>> logs);

class failure_collector {
 public:
  failure_collector() = default;
  /// `shared`: several threads use it.
  explicit failure_collector(bool shared) : lock_{shared} {}

  void add(std::uint64_t more, const failure& one);
  std::uint64_t count();
  /// What has come since the last call.
  failure_log take();

 private:
  spin_lock lock_;  // guards log_
  failure_log log_;
};

}  // namespace lamellar::detail
