// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// Five mistakes that a runtime like this one has had or could have, at the places where they
// would be made. A library that is built to be tested makes the one that it is told to, so that
// a test can show that they are found; in every other build this is nothing.
namespace lamellar::detail {

enum class fault : std::uint8_t {
  none,
  lost_count,     ///< what a handler sends is not counted while other buffers wait to be run
  early_free,     ///< an object dies although a handle of it has arrived during the quiesce
  missing_flush,  ///< what a coroutine of the body sends when it goes on is not shipped
  reply_mix_up,   ///< answers go into one run though their calls were not made in a row
  epoch_leak,     ///< a quiesce trusts one wave, and messages run in the next epoch
};

#ifdef LAMELLAR_TEST_FAULTS
/// Written by a test before it opens a job.
inline fault injected = fault::none;
inline bool has(fault which) { return injected == which; }
#else
constexpr bool has(fault) { return false; }
#endif

}  // namespace lamellar::detail
