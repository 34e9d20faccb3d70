// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <hwloc.h>

#include <cstdint>
#include <vector>

// Which hardware thread each thread of each PE gets. PEs that share a core by chance run at
// half speed beside an idle core, so every thread is given its own; the choice depends only on
// numbers that all PEs of a host know, so that nobody has to agree on anything. Pure: no state
// here.
namespace lamellar::lamellae {

/// The hardware threads that a process may use, best first.
struct hardware_threads {
  std::vector<unsigned>
      os_index;             ///< first one of every core, neighbours together; then the rest
  std::uint32_t cores = 0;  ///< how many of them are the first of their core
};

/// List those of `topology` that are in `allowed`.
hardware_threads list_hardware_threads(hwloc_topology_t topology, hwloc_const_cpuset_t allowed);

/// Position in `hardware_threads::os_index` of thread `thread` of `threads` of PE `pe` of
/// `pes`.
///
/// While there are cores for all, each PE gets neighbouring ones from its own share of them;
/// beyond that all hardware threads are shared evenly, the first threads of all PEs apart from
/// each other and those of one PE apart from each other, as far as there are enough.
std::uint32_t place(const hardware_threads& machine, std::uint32_t pe, std::uint32_t pes,
                    std::uint32_t thread, std::uint32_t threads);

/// Hardware threads that this process was allowed to use when it first asked, as the system
/// numbers them: a launcher may have bound it to some. Threads: any.
const std::vector<unsigned>& hardware_threads_of_process();
/// How many these are, at least 1.
std::uint32_t hardware_threads_available();

}  // namespace lamellar::lamellae
