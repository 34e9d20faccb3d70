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

class bootstrap;

/// This process is PE `pe` of the job in `memory`, unless it is known to be of another. The
/// memory forgets it by itself when it goes.
void remember_shared_job(const job_memory& memory, std::uint32_t pe);
/// Forget the job whose page this is, if it is the one that is remembered.
void forget_shared_job(const job_page& page);

/// Have `who` end the job when a PE of this process does, until it is forgotten. Whoever
/// forgets it waits while it is being asked, which nobody survives.
void remember_launcher(bootstrap& who);
void forget_launcher(const bootstrap& who);

/// What the calling thread runs are PEs in turns, `*pe` the one whose turn it is; nullptr: no
/// more. Returns what was so before.
const std::atomic<std::uint32_t>* remember_turns(const std::atomic<std::uint32_t>* pe);

/// Say `note()`, whole lines, after the text of abort_job(); empty: nothing.
void note_for_abort(std::function<std::string()> note);

}  // namespace lamellar::lamellae
