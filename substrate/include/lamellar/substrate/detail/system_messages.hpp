// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/detail/engine.hpp>

// What engines tell each other, as ordinary messages.
namespace lamellar::detail {

/// Tell `to` that `failures` of the messages in one of its buffers threw.
void send_failure_report(engine& at, lane& here, std::uint32_t to, std::uint64_t failures,
                         const failure& first, bool completes_a_buffer);

/// Tell `to` that `count` coroutine handlers that its sends had started have ended.
void send_acknowledgement(engine& at, lane& here, std::uint32_t to, std::uint64_t count,
                          std::uint64_t failures, const failure& first);

/// Tell all PEs that have a part of `object` that one more (`change` = 1), one less (-1) or
/// still this PE (0) holds no handle of it, as of `epoch`.
void send_release(engine& at, const object_entry& object, int change, std::uint64_t epoch);

/// A message of `to` that it had offered has been fetched.
void send_fetched(engine& at, std::uint32_t to, std::uint64_t number);

/// Tell `owner` that this PE holds its one-sided region `number` from now on.
void send_hold(engine& at, std::uint32_t owner, std::uint32_t number);

/// Tell `owner` that this PE did not hold that region any more when it entered the quiesce of
/// `epoch`.
void send_let_go(engine& at, std::uint32_t owner, std::uint32_t number, std::uint64_t epoch);

}  // namespace lamellar::detail
