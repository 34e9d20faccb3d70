// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "job_memory.hpp"

// What a process must know about its own job when it ends out of turn: one per process, like
// the exit that it serves. Threads: any.
namespace lamellar::lamellae {

/// This process is PE `pe` of the job in `memory`, which stays mapped until it is forgotten.
void remember_shared_job(const job_memory& memory, std::uint32_t pe);
void forget_shared_job();

/// What the calling thread runs are PEs in turns, `*pe` the one whose turn it is; nullptr: no
/// more. Returns what was so before.
const std::atomic<std::uint32_t>* remember_turns(const std::atomic<std::uint32_t>* pe);

/// Say `note()`, whole lines, after the text of abort_job(); empty: nothing.
void note_for_abort(std::function<std::string()> note);

}  // namespace lamellar::lamellae
