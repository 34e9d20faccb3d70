// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

// The machine under a benchmark: which cores it may use, where a thread is pinned, and whether
// somebody else is at work. A spinning stranger on one of two cores halves every figure, and a
// virtual machine may be robbed of its cores by its host: both are measured, and reported with
// the result.
//
// Thread-safety: free functions are for any thread; a `load_watch` belongs to one.

namespace lamellar::benchmark {

/// Choose `count` logical CPUs of those this process may use, as far apart as possible
/// (different cores before hardware threads of one core). With more than there are, they
/// repeat.
std::vector<unsigned> spread_cpus(unsigned count);

/// Count the logical CPUs that the calling thread may use: 1 once it is pinned.
unsigned usable_cpus();

/// Bind the calling thread to a logical CPU. Throws: std::system_error naming the CPU.
void pin_this_thread(unsigned cpu);

/// Say where the calling thread may run: "cpu 1" if pinned, else "not pinned (cpus 0,1)".
std::string pinning_of_this_thread();

/// Name the processor and the number of its logical CPUs in one line.
std::string machine_name();

/// What others did to the machine over some interval. Shares are of one core: 2 means two
/// cores' worth.
struct foreign_load {
  double others = 0;        // processes that do not run this program
  double stolen = 0;        // time that the host took away
  unsigned runnable = 0;    // processes that want to run now, those of this program included
  double load_average = 0;  // over one minute, as the kernel tells it; our own past is in it
  std::string busiest;      // the process that took most, if it can be seen

  /// True if nobody else took more than a tenth of a core.
  bool idle() const { return others < 0.1 && stolen < 0.1; }

  /// Describe the load in one line.
  std::string text() const;
};

/// Watch what others do between two points in time.
class load_watch {
 public:
  load_watch();

  /// Return what happened since construction. Meaningful after a fifth of a second or more.
  foreign_load since_start() const;

 private:
  struct counters {
    double seconds = 0;  // monotonic clock
    double busy = 0;     // all CPUs, CPU seconds
    double stolen = 0;
    double ours = 0;                                        // processes that run this program
    std::vector<std::pair<std::string, double>> strangers;  // name with id, CPU seconds
  };
  static counters read();
  counters start_;
};

/// Watch for a quarter of a second while this program does nothing.
foreign_load load_at_rest();

}  // namespace lamellar::benchmark
