// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>

#include "job.hpp"
#include "options.hpp"
#include "report.hpp"
#include "timing.hpp"

// Taking turns with one thread of PE 0 that does alone what all PEs do together: the limit of
// benchmarks of whole algorithms.
//
// Thread-safety: the main thread of each PE.
namespace lamellar::benchmark {

/// The seconds of `f()` on PE 0; 0 on the others, which go on. Collective.
template <class F>
double seconds_on_first(world& w, F f) {
  w.barrier().get();
  if (w.me() != pe(0)) return 0;
  const stopwatch watch;
  f();
  return watch.seconds();
}

/// The seconds of `f()`, which all PEs begin at once. Collective.
template <class F>
double seconds_together(world& w, F f) {
  w.barrier().get();
  const stopwatch watch;
  f();
  return watch.seconds();
}

/// Measure work.serially() on PE 0 and work.together() on all, by turns: both give seconds.
/// `complete(result)`, on PE 0, says how many operations that is, of which unit, and adds
/// parameters. work.right(), at the end, tells of this PE. Collective.
template <class Work, class Complete>
void measure_turns(world& w, const options& common, report* out, std::string name,
                   const char* limit, Work& work, const Complete& complete) {
  samples together;
  samples serially;
  for (unsigned k = 0; k <= common.repetitions; ++k) {
    serially.add(work.serially());
    together.add(work.together());
  }
  const auto seconds = slowest(w, together.counted());
  const bool right = on_all(w, work.right());
  if (out != nullptr) {
    result r = job_result(w, std::move(name), common);
    r.seconds = summarise(seconds);
    r.verified = right;
    complete(r);
    r.bound = {limit, r.operations / serially.median()};
    out->add(std::move(r));
  }
  w.barrier().get();
}

}  // namespace lamellar::benchmark
