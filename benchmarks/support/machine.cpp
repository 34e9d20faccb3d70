// SPDX-License-Identifier: BSD-3-Clause
#include "machine.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <hwloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>

namespace lamellar::benchmark {
namespace {

std::vector<unsigned> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

double ticks_to_seconds(double ticks) {
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct process_time {
  std::string name;
  double own = 0;       // CPU seconds
  double children = 0;  // CPU seconds of children that have ended
};

// Read the text of /proc/PID/stat. The name stands in parentheses and may itself hold spaces
// and parentheses: fields are counted from the last one.
process_time time_of_process(const std::string& stat) {
  const auto open = stat.find('(');
  const auto close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  std::istringstream fields(stat.substr(close + 1));
  std::string skipped;
  for (int k = 0; k < 11; ++k) fields >> skipped;
  double user = 0, system = 0, children_user = 0, children_system = 0;
  fields >> user >> system >> children_user >> children_system;
  return {stat.substr(open + 1, close - open - 1), ticks_to_seconds(user + system),
          ticks_to_seconds(children_user + children_system)};
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::vector<unsigned> spread_cpus(unsigned count) {
  std::vector<unsigned> cpus;
  hwloc_topology_t topology = nullptr;
  hwloc_topology_init(&topology);
  hwloc_topology_load(topology);
  hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
  for (const unsigned cpu : allowed_cpus()) hwloc_bitmap_set(allowed, cpu);
  hwloc_topology_restrict(topology, allowed, 0);
  hwloc_obj_t root = hwloc_get_root_obj(topology);
  std::vector<hwloc_cpuset_t> sets(std::min(count, usable_cpus()), nullptr);
  hwloc_distrib(topology, &root, 1, sets.data(), static_cast<unsigned>(sets.size()), INT32_MAX,
                0);
  for (hwloc_cpuset_t set : sets) {
    cpus.push_back(static_cast<unsigned>(hwloc_bitmap_first(set)));
    hwloc_bitmap_free(set);
  }
  hwloc_bitmap_free(allowed);
  hwloc_topology_destroy(topology);
  const std::size_t distinct = cpus.size();
  for (std::size_t k = distinct; k < count; ++k) cpus.push_back(cpus[k % distinct]);
  return cpus;
}

unsigned usable_cpus() { return static_cast<unsigned>(allowed_cpus().size()); }

void pin_this_thread(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("cannot bind to cpu {}", cpu));
  }
}

std::string pinning_of_this_thread() {
  const std::vector<unsigned> cpus = allowed_cpus();
  if (cpus.size() == 1) return fmt::format("cpu {}", cpus.front());
  return fmt::format("not pinned (cpus {})", fmt::join(cpus, ","));
}

std::string machine_name() {
  std::string model = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  return fmt::format("{}, {} cpus", model, ::sysconf(_SC_NPROCESSORS_ONLN));
}

std::string foreign_load::text() const {
  std::string line = fmt::format(
      "others use {:.2f} of a core, the host takes {:.2f}; {} runnable, load {:.2f}", others,
      stolen, runnable, load_average);
  if (!busiest.empty()) line += fmt::format("; busiest: {}", busiest);
  return line;
}

load_watch::load_watch() : start_(read()) {}

load_watch::counters load_watch::read() {
  counters now;
  now.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
          .count();

  std::istringstream cpu(first_line("/proc/stat"));
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0;
  cpu >> label >> user >> nice >> system >> idle >> waiting >> hard >> soft >> stolen;
  now.busy = ticks_to_seconds(user + nice + system + hard + soft);
  now.stolen = ticks_to_seconds(stolen);

  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string id = entry.path().filename().string();
    if (id.find_first_not_of("0123456789") != std::string::npos) continue;
    const process_time time = time_of_process(first_line(entry.path() / "stat"));
    if (fs::read_symlink(entry.path() / "exe", ignored) == program) {
      now.ours += time.own + time.children;
    } else {
      now.strangers.emplace_back(fmt::format("{} (process {})", time.name, id), time.own);
    }
  }
  return now;
}

foreign_load load_watch::since_start() const {
  const counters now = read();
  const double elapsed = std::max(now.seconds - start_.seconds, 1e-3);
  foreign_load load;
  // All busy time less ours: what runs in other containers of this machine is in it, though not
  // in /proc.
  load.others = std::max(0.0, (now.busy - start_.busy - (now.ours - start_.ours)) / elapsed);
  load.stolen = (now.stolen - start_.stolen) / elapsed;

  double most = 0.05 * elapsed;
  for (const auto& [name, seconds] : now.strangers) {
    double used = seconds;
    for (const auto& [before, then] : start_.strangers) {
      if (before == name) used -= then;
    }
    if (!load.idle() && used > most) {
      most = used;
      load.busiest = fmt::format("{}, {:.2f} of a core", name, used / elapsed);
    }
  }

  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    if (line.starts_with("procs_running "))
      load.runnable = static_cast<unsigned>(std::stoul(line.substr(14)));
  }
  std::istringstream(first_line("/proc/loadavg")) >> load.load_average;
  return load;
}

foreign_load load_at_rest() {
  const load_watch watch;
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  return watch.since_start();
}

}  // namespace lamellar::benchmark
