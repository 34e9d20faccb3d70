// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "job_memory.hpp"

// What a process must know about its own job when it ends out of turn: one per process, like
// the exit that it serves. Threads: any.
namespace lamellar::lamellae {

/// This process is PE `pe` of the job in `memory`, which stays mapped until it is forgotten.
void remember_shared_job(const job_memory& memory, std::uint32_t pe);
void forget_shared_job();

}  // namespace lamellar::lamellae
