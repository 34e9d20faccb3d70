// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <lamellar/substrate/spawned.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <utility>
#include <vector>

#include "options.hpp"
#include "report.hpp"

// What benchmarks of a running job have in common. PE 0 holds the report; all PEs take part in
// the measurements, each with its own copies of everything but the settings.
//
// Thread-safety: the main thread of each PE.

namespace lamellar::benchmark {

/// What a benchmark measures on every PE. `out` is the report on PE 0, nullptr elsewhere.
using job_body = std::function<void(world& w, report* out)>;

/// Run `body` on all PEs of the job that the environment describes.
///
/// Returns: the exit code of main(), 0 if every answer was right. What `body` throws ends the
/// job with its text.
int run_job(int argc, char** argv, const std::string& name, const options& common,
            const job_body& body);

/// The main() of a benchmark: read the command line into `set`, whose options have been added,
/// and call `measure(w, set, out)` on all PEs, as run_job() does.
template <class Settings, class Measure>
int run_benchmark(command_line& command, int argc, char** argv, Settings& set,
                  Measure measure) {
  if (!command.parse(argc, argv)) return command.exit_code();
  set.common = command.common();
  return run_job(argc, argv, command.name(), set.common,
                 [&](world& w, report* out) { measure(w, std::as_const(set), out); });
}

/// Return on every PE whether `mine` is true on all. Collective.
bool on_all(world& w, bool mine);

/// Return on every PE, for each repetition, the longest of the seconds that the PEs have
/// measured: where PEs share a core, some see the start late.
///
/// Shapes: the same number of samples on all PEs. Collective.
std::vector<double> slowest(world& w, const std::vector<double>& samples);

/// Begin a result of this job: everything is filled in but what was measured.
result job_result(const world& w, std::string name, const options& common);

namespace detail {
template <class Work>
task<> run_share(Work& work, unsigned thread) {
  work(thread);
  co_return;
}
}  // namespace detail

/// Call `work(t)` for every thread t of this PE, each on a thread of its own provided that all
/// of them meet in `work`; t = 0 is the caller. Return when all have ended.
template <class Work>
void on_all_threads(world& w, Work work) {
  std::vector<spawned<>> others;
  for (unsigned thread = 1; thread < w.threads(); ++thread) {
    others.push_back(w.spawn(detail::run_share(work, thread)));
  }
  work(0);
  for (spawned<>& other : others) other.get();
}

}  // namespace lamellar::benchmark
