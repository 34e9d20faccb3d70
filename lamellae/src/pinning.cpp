// SPDX-License-Identifier: BSD-3-Clause
#include "pinning.hpp"

#include <algorithm>
#include <lamellar/lamellae/job.hpp>
#include <numeric>
#include <thread>

namespace lamellar::lamellae {
namespace {

/// The machine as this process sees it, read once, before any of its threads is bound.
class machine {
 public:
  static const machine& here() {
    static const machine only;
    return only;
  }

  const hardware_threads& threads() const { return threads_; }

  void bind_this_thread(std::uint32_t position) const {
    if (threads_.os_index.empty()) return;
    hwloc_cpuset_t one = hwloc_bitmap_alloc();
    hwloc_bitmap_only(one, threads_.os_index[position]);
    hwloc_set_cpubind(topology_, one, HWLOC_CPUBIND_THREAD);  // a refusal leaves it as it was
    hwloc_bitmap_free(one);
  }

  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;

 private:
  machine() {
    if (hwloc_topology_init(&topology_) != 0) return;
    if (hwloc_topology_load(topology_) != 0) {
      hwloc_topology_destroy(topology_);
      topology_ = nullptr;
      return;
    }
    hwloc_cpuset_t allowed = hwloc_bitmap_alloc();
    if (hwloc_get_cpubind(topology_, allowed, HWLOC_CPUBIND_THREAD) != 0) {
      hwloc_bitmap_copy(allowed, hwloc_topology_get_allowed_cpuset(topology_));
    }
    threads_ = list_hardware_threads(topology_, allowed);
    hwloc_bitmap_free(allowed);
  }
  ~machine() {
    if (topology_ != nullptr) hwloc_topology_destroy(topology_);
  }

  hwloc_topology_t topology_ = nullptr;
  hardware_threads threads_;
};

}  // namespace

hardware_threads list_hardware_threads(hwloc_topology_t topology,
                                       hwloc_const_cpuset_t allowed) {
  hardware_threads found;
  std::vector<unsigned> others;
  const int cores = std::max(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE), 0);
  const bool knows_cores = cores > 0;
  const hwloc_obj_type_t type = knows_cores ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
  hwloc_obj_t core = nullptr;
  while ((core = hwloc_get_next_obj_by_type(topology, type, core)) != nullptr) {
    bool first = true;
    for (int at = hwloc_bitmap_first(core->cpuset); at >= 0;
         at = hwloc_bitmap_next(core->cpuset, at)) {
      const auto index = static_cast<unsigned>(at);
      if (!hwloc_bitmap_isset(allowed, index)) continue;
      (first ? found.os_index : others).push_back(index);
      first = false;
    }
  }
  found.cores = static_cast<std::uint32_t>(found.os_index.size());
  found.os_index.insert(found.os_index.end(), others.begin(), others.end());
  return found;
}

std::uint32_t place(const hardware_threads& machine, std::uint32_t pe, std::uint32_t pes,
                    std::uint32_t thread, std::uint32_t threads) {
  const std::uint64_t all = machine.os_index.size();
  const std::uint64_t cores = machine.cores;
  if (all == 0) return 0;
  if (std::uint64_t{pes} * threads <= cores) {
    return static_cast<std::uint32_t>(pe * cores / pes + thread);
  }
  // Round after round over the PEs. Where the rounds begin to repeat, one step aside, so that a
  // PE's threads do not meet.
  const std::uint64_t rounds = all / std::gcd(std::uint64_t{pes}, all);
  return static_cast<std::uint32_t>((pe + std::uint64_t{thread} * pes + thread / rounds) % all);
}

const std::vector<unsigned>& hardware_threads_of_process() {
  return machine::here().threads().os_index;
}

std::uint32_t hardware_threads_available() {
  const std::size_t known = hardware_threads_of_process().size();
  return known != 0 ? static_cast<std::uint32_t>(known)
                    : std::max(1U, std::thread::hardware_concurrency());
}

void pin_this_thread(std::uint32_t local_pe, std::uint32_t pes_on_host, std::uint32_t thread,
                     std::uint32_t threads) {
  const machine& host = machine::here();
  host.bind_this_thread(place(host.threads(), local_pe, pes_on_host, thread, threads));
}

}  // namespace lamellar::lamellae
