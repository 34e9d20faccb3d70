// SPDX-License-Identifier: BSD-3-Clause
#include "report.hpp"

#include <hwloc.h>
#include <unistd.h>

#include <exception>
#include <fstream>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/providers.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <string>

#include "bootstrap/launchers.hpp"
#include "job_memory.hpp"
#include "memory.hpp"
#include "pinning.hpp"
#include "segments.hpp"

namespace lamellar::info {
namespace {

using json = nlohmann::ordered_json;
using namespace lamellar::lamellae;

constexpr std::size_t probe_bytes = std::size_t{4} << 20;

std::string first_line(const std::string& file) {
  std::ifstream in{file};
  std::string text;
  std::getline(in, text);
  return text;
}

/// The word in brackets: "always [madvise] never".
std::string chosen_word(const std::string& file) {
  const std::string text = first_line(file);
  const auto open = text.find('[');
  const auto close = text.find(']', open);
  return open == std::string::npos || close == std::string::npos
             ? "not available"
             : text.substr(open + 1, close - open - 1);
}

/// The page size that a segment really gets, or why it gets none.
template <class Allocate>
json page_got(Allocate allocate) {
  try {
    return allocate();
  } catch (const std::exception& e) {
    return e.what();
  }
}

json pages() {
  const std::string transparent = "/sys/kernel/mm/transparent_hugepage/";
  const std::string reserved = "/sys/kernel/mm/hugepages/hugepages-2048kB/";
  json found;
  found["base_bytes"] = sysconf(_SC_PAGESIZE);
  found["private_huge"] = chosen_word(transparent + "enabled");
  found["shared_huge"] = chosen_word(transparent + "shmem_enabled");
  found["reserved_2_mib_free"] = first_line(reserved + "free_hugepages");
  found["local_heap_gets_bytes"] = page_got([] {
    const segment got = allocate_private_segment(probe_bytes);
    const std::size_t bytes = got.page_bytes;
    free_private_segment(got);
    return bytes;
  });
  found["shmem_heap_gets_bytes"] = page_got([] {
    const auto memory = job_memory::create(1, settings{}.buffer_bytes, std::size_t{1} << 20);
    shared_segments segments{{memory.fd(), &memory.page().end},
                             {memory.page().huge_job_fd, &memory.page().huge_end}};
    return segments.allocate(probe_bytes).page_bytes;
  });
  return found;
}

json topology() {
  json found;
  hwloc_topology_t machine = nullptr;
  if (hwloc_topology_init(&machine) != 0) return found;
  if (hwloc_topology_load(machine) == 0) {
    if (const char* const model =
            hwloc_obj_get_info_by_name(hwloc_get_root_obj(machine), "CPUModel")) {
      found["model"] = model;
    } else if (hwloc_obj_t package = hwloc_get_obj_by_type(machine, HWLOC_OBJ_PACKAGE, 0)) {
      const char* const name = hwloc_obj_get_info_by_name(package, "CPUModel");
      if (name != nullptr) found["model"] = name;
    }
    const auto count = [&](hwloc_obj_type_t type) {
      return hwloc_get_nbobjs_by_type(machine, type);
    };
    found["packages"] = count(HWLOC_OBJ_PACKAGE);
    found["numa_nodes"] = count(HWLOC_OBJ_NUMANODE);
    found["cores"] = count(HWLOC_OBJ_CORE);
    found["hardware_threads"] = count(HWLOC_OBJ_PU);
    const std::pair<const char*, hwloc_obj_type_t> caches[] = {
        {"l1_data_cache_bytes", HWLOC_OBJ_L1CACHE},
        {"l2_cache_bytes", HWLOC_OBJ_L2CACHE},
        {"l3_cache_bytes", HWLOC_OBJ_L3CACHE}};
    for (const auto& [name, type] : caches) {
      if (hwloc_obj_t cache = hwloc_get_obj_by_type(machine, type, 0)) {
        found[name] = cache->attr->cache.size;
      }
    }
  }
  hwloc_topology_destroy(machine);
  found["hardware_threads_allowed"] = hardware_threads_available();
  return found;
}

json memory() {
  return {{"limit_bytes", memory_limit()},
          {"available_bytes", memory_available()},
          {"default_job_budget_bytes", default_job_budget()}};
}

json kokkos() {
#ifdef LAMELLAR_KOKKOS_VERSION
  return {{"version", LAMELLAR_KOKKOS_VERSION}, {"spaces", LAMELLAR_KOKKOS_SPACES}};
#else
  return nullptr;
#endif
}

json network() {
  json rows = json::array();
  for (const provider_report& one : network_providers()) {
    rows.push_back({{"name", one.name},
                    {"domain", one.domain},
                    {"usable", one.refusal.empty()},
                    {"refusal", one.refusal}});
  }
  return rows;
}

json environment() {
  json rows = json::array();
  for (const variable& v : variables()) {
    const auto value = value_in_environment(v);
    rows.push_back({{"name", v.name},
                    {"value", value ? json(*value) : json(nullptr)},
                    {"default", v.default_value},
                    {"meaning", v.meaning}});
  }
  return rows;
}

json environment_error() {
  try {
    settings::from_environment();
    return nullptr;
  } catch (const config_error& e) {
    return e.what();
  }
}

}  // namespace

json gather() {
  json all;
  all["version"] = LAMELLAR_VERSION;
  all["lamellae"] = lamella_names();
  all["launchers"] = launcher_names();
  all["network_library"] = network_library();
  all["network_providers"] = network();
  all["kokkos"] = kokkos();
  all["cores"] = topology();
  all["memory"] = memory();
  all["pages"] = pages();
  all["variables"] = environment();
  all["environment_error"] = environment_error();
  return all;
}

}  // namespace lamellar::info
