// SPDX-License-Identifier: BSD-3-Clause
#include "pinning.hpp"

#include <doctest/doctest.h>
#include <sched.h>

#include <algorithm>
#include <lamellar/lamellae/job.hpp>
#include <set>
#include <thread>
#include <vector>

namespace {

using namespace lamellar::lamellae;

/// A machine that hwloc makes up from a description.
class made_up {
 public:
  explicit made_up(const char* description) {
    hwloc_topology_init(&topology_);
    hwloc_topology_set_synthetic(topology_, description);
    hwloc_topology_load(topology_);
  }
  ~made_up() { hwloc_topology_destroy(topology_); }
  made_up(const made_up&) = delete;
  made_up& operator=(const made_up&) = delete;

  hardware_threads all() const {
    return list_hardware_threads(topology_, hwloc_topology_get_complete_cpuset(topology_));
  }
  hardware_threads only(const char* list) const {
    hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
    hwloc_bitmap_list_sscanf(allowed, list);
    hardware_threads found = list_hardware_threads(topology_, allowed);
    hwloc_bitmap_free(allowed);
    return found;
  }

 private:
  hwloc_topology_t topology_ = nullptr;
};

std::set<int> cpus_of_this_thread() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  REQUIRE(sched_getaffinity(0, sizeof mask, &mask) == 0);
  std::set<int> found;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) found.insert(cpu);
  }
  return found;
}

}  // namespace

TEST_CASE("whole cores come before second hardware threads") {
  const hardware_threads machine = made_up{"pack:2 core:2 pu:2"}.all();
  CHECK(machine.cores == 4);
  CHECK(machine.os_index == std::vector<unsigned>{0, 2, 4, 6, 1, 3, 5, 7});
}

TEST_CASE("only what the process is allowed to use is listed") {
  const made_up host{"pack:2 core:2 pu:2"};
  const hardware_threads some = host.only("1,4-5");
  CHECK(some.cores == 2);
  CHECK(some.os_index == std::vector<unsigned>{1, 4, 5});
  CHECK(host.only("64").os_index.empty());
}

TEST_CASE("while cores suffice every thread gets its own, and a PE's lie side by side") {
  const hardware_threads machine = made_up{"pack:2 core:6 pu:2"}.all();
  for (std::uint32_t pes = 1; pes <= machine.cores; ++pes) {
    for (std::uint32_t threads = 1; pes * threads <= machine.cores; ++threads) {
      std::set<std::uint32_t> used;
      for (std::uint32_t pe = 0; pe < pes; ++pe) {
        const std::uint32_t first = place(machine, pe, pes, 0, threads);
        for (std::uint32_t thread = 0; thread < threads; ++thread) {
          const std::uint32_t at = place(machine, pe, pes, thread, threads);
          CHECK(at == first + thread);
          CHECK(at < machine.cores);
          used.insert(at);
        }
      }
      CHECK(used.size() == pes * threads);
    }
  }
}

TEST_CASE("with fewer cores than threads the load differs by one at most") {
  const hardware_threads machine = made_up{"core:3 pu:2"}.all();
  for (std::uint32_t pes : {1U, 4U, 5U, 7U, 64U}) {
    for (std::uint32_t threads : {1U, 2U, 3U, 8U}) {
      std::vector<std::uint32_t> load(machine.os_index.size());
      for (std::uint32_t pe = 0; pe < pes; ++pe) {
        for (std::uint32_t thread = 0; thread < threads; ++thread) {
          ++load.at(place(machine, pe, pes, thread, threads));
        }
      }
      if (pes * threads <= machine.cores) continue;
      const auto [least, most] = std::minmax_element(load.begin(), load.end());
      CHECK(*most - *least <= 1);
    }
  }
}

TEST_CASE(
    "where threads share cores, neither first threads nor threads of one PE meet needlessly") {
  for (const char* shape : {"core:2 pu:1", "core:3 pu:2", "core:4 pu:1", "core:4 pu:2"}) {
    const hardware_threads machine = made_up{shape}.all();
    const std::size_t all = machine.os_index.size();
    CAPTURE(shape);
    for (std::uint32_t pes = 1; pes <= 9; ++pes) {
      for (std::uint32_t threads = 1; threads <= 9; ++threads) {
        if (pes * threads <= machine.cores) continue;
        CAPTURE(pes);
        CAPTURE(threads);
        std::set<std::uint32_t> first_threads;
        for (std::uint32_t pe = 0; pe < pes; ++pe) {
          std::set<std::uint32_t> own;
          for (std::uint32_t thread = 0; thread < threads; ++thread) {
            own.insert(place(machine, pe, pes, thread, threads));
          }
          first_threads.insert(place(machine, pe, pes, 0, threads));
          CHECK(own.size() == std::min<std::size_t>(threads, all));
        }
        CHECK(first_threads.size() == std::min<std::size_t>(pes, all));
      }
    }
  }
}

TEST_CASE("a pinned thread may run on one allowed hardware thread only") {
  const std::set<int> before = cpus_of_this_thread();
  const std::uint32_t pes = hardware_threads_available();
  CHECK(pes == before.size());
  std::set<int> together;
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    std::thread{[&] {
      pin_this_thread(pe, pes, 0, 1);
      const std::set<int> now = cpus_of_this_thread();
      CHECK(now.size() == 1);
      CHECK(before.count(*now.begin()) == 1);
      together.insert(now.begin(), now.end());
    }}.join();
  }
  CHECK(together == before);
  CHECK(cpus_of_this_thread() == before);
}
