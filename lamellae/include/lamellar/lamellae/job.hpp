// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <memory>
#include <string_view>
#include <vector>

// How a process joins a job: alone, as N PEs in one process, or as one of several processes
// that a launcher started. The only place that chooses a lamella by name.
namespace lamellar::lamellae {

/// The PEs that live in this process: all of them under `local`, one otherwise.
struct job {
  std::vector<std::unique_ptr<lamella>> pes;
};

/// Join the job that `s` and the launcher describe.
///
/// Collective over the processes of the job. Throws: config_error (unknown lamella, too many
/// PEs for the system, launched twice), naming the variable.
job open_job(const settings& s);

/// The names that LAMELLAR_LAMELLA takes in this build.
std::vector<std::string_view> lamella_names();

/// Bind the calling thread: thread `thread` of `threads` of the PE that is number `local_pe` of
/// `pes_on_host` on this host. More threads than cores: cores are shared in turn. Does nothing
/// when the system refuses.
void pin_this_thread(std::uint32_t local_pe, std::uint32_t pes_on_host, std::uint32_t thread,
                     std::uint32_t threads);

/// Says that the calling thread runs PE `pe` for as long as this object lives. A process that
/// calls exit() meanwhile ends its job with a message and a non-zero code.
class inside_job {
 public:
  explicit inside_job(std::uint32_t pe);
  ~inside_job();
  inside_job(const inside_job&) = delete;
  inside_job& operator=(const inside_job&) = delete;
};

/// End the whole job now, from any PE, with `text` on stderr and a non-zero exit code. When
/// several PEs do so, the first one's text and code are given. Threads: any. Never returns.
[[noreturn]] void abort_job(int code, std::string_view text);

}  // namespace lamellar::lamellae
