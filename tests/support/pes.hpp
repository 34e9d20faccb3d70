// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/world.hpp>
#include <random>
#include <type_traits>

// Test cases that run on the PEs of the job which the environment describes. Link
// lamellar_test_pes_main.
//
// Under `local`, on_pes() makes a world of its own, with all PEs as threads of this process.
// Under lamellar-run each process runs all test cases, in one world that lives as long as the
// program; on_pes() is then a collective: each process must come to the same ones in the same
// order. Worlds that live on show what a test leaves behind: everything is quiet at its end.
//
// Under `sim` the PEs take turns, by the seed that the environment gives.
//
// A failed CHECK on one PE fails the test on all. A failed REQUIRE, or any other exception that
// leaves the body, ends the job: the other PEs would wait for ever.
namespace lamellar::testing {

namespace detail {
void run_on_pes(const std::function<void(world&)>& body);
}

/// Run `body(world&)`, a function or a coroutine, on every PE; then wait until all is quiet.
template <class Body>
void on_pes(Body body) {
  detail::run_on_pes([&body](world& w) {
    if constexpr (task_result<std::invoke_result_t<Body&, world&>>::is_task) {
      body(w).get();
    } else {
      body(w);
    }
  });
}

/// A generator for this PE; prints the seed, which all PEs share, once.
std::mt19937_64 seeded(const world& w, std::uint64_t seed);

/// The PE after this one.
inline pe next_of(const world& w) { return w.at((w.me().index() + 1) % w.size()); }

/// Make progress until `holds()`; throws if it does not come to hold within a minute.
void progress_until(world& w, const std::function<bool()>& holds, const char* what);

/// Sanitizers take a multiple of the time and of the memory: tests do a fraction of the work,
/// and memory in use says nothing about the library.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int work_divisor = 20;
inline constexpr bool measures_memory = false;
#else
inline constexpr int work_divisor = 1;
inline constexpr bool measures_memory = true;
#endif

/// Bytes of memory that this process has in use now (VmRSS).
std::uint64_t resident_bytes();

}  // namespace lamellar::testing
