// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How a process joins a job: alone, as N PEs in one process, or as one of several processes
// that a launcher started. The only place that chooses a lamella by name.
namespace lamellar::lamellae {

/// The PEs that live in this process: all of them under `local` and `sim`, one otherwise.
struct job {
  std::vector<std::unique_ptr<lamella>> pes;
  /// Set by a lamella whose PEs take turns: how they do.
  std::function<void(const std::function<void(std::size_t)>&)> take_turns;
  /// The command that repeats this very run, where there is one.
  std::string replay;

  /// Run `as_pe(k)` as each PE of this process, and return when all have ended: side by side,
  /// each on a thread of its own (the first on this one), or in turns. `as_pe` throws nothing.
  void run(const std::function<void(std::size_t)>& as_pe) const;
};

/// Join the job that `s` and the launcher describe.
///
/// Collective over the processes of the job. Throws: config_error (unknown lamella, too many
/// PEs for the system, launched twice), naming the variable.
job open_job(const settings& s);

/// Whether a launcher has started this process as a PE of a job, so that open_job(s) makes no
/// PEs of its own. Throws: config_error.
bool is_launched(const settings& s);

/// The names that LAMELLAR_LAMELLA takes in this build.
std::vector<std::string_view> lamella_names();

/// Bind the calling thread: thread `thread` of `threads` of the PE that is number `local_pe` of
/// `pes_on_host` on this host. More threads than cores: cores are shared in turn. Does nothing
/// when the system refuses.
void pin_this_thread(std::uint32_t local_pe, std::uint32_t pes_on_host, std::uint32_t thread,
                     std::uint32_t threads);

/// The PE whose turn it is on this thread; nothing unless it runs PEs in turns.
std::optional<std::uint32_t> pe_in_turn();

/// Says that the calling thread runs PE `pe` for as long as this object lives. A process that
/// calls exit() meanwhile ends its job with a message and a non-zero code.
class inside_job {
 public:
  explicit inside_job(std::uint32_t pe);
  ~inside_job();
  inside_job(const inside_job&) = delete;
  inside_job& operator=(const inside_job&) = delete;

 private:
  std::uint32_t pe_;
};

/// End the whole job now, from any PE, with `text` on stderr and a non-zero exit code. When
/// several PEs do so, the first one's text and code are given. Threads: any. Never returns.
[[noreturn]] void abort_job(int code, std::string_view text);

}  // namespace lamellar::lamellae
