// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <thread>
#include <utility>

#include "bootstrap/launchers.hpp"
#include "environment.hpp"
#ifdef LAMELLAR_HAS_LIBFABRIC
#include "fabric/signals.hpp"
#endif
#include "local.hpp"
#ifdef LAMELLAR_HAS_LIBFABRIC
#include "rofi/rofi.hpp"
#endif
#include "shmem.hpp"
#include "sim/sim.hpp"

namespace lamellar::lamellae {
namespace {

/// Whether PEs of one process are asked for, which need no launcher.
bool is_for_one_process(const settings& s) {
  return s.lamella == "local" || s.lamella == "sim";
}

/// What is asked for under a launcher must be what the launcher made.
void check_launched(const settings& s, const bootstrap& from) {
  if (s.pes > 1) {
    throw config_error(
        fmt::format("LAMELLAR_PES={}: {} has started {} PEs already, one for each process; use "
                    "its -n alone",
                    s.pes, from.launcher(), from.size()));
  }
  if (is_for_one_process(s)) {
    throw config_error(
        fmt::format("LAMELLAR_LAMELLA={}: the processes of {} use shmem or rofi; start the "
                    "program by itself, with LAMELLAR_PES for more PEs",
                    s.lamella, from.launcher()));
  }
}

/// Whether the PEs need a network between them. Throws: config_error, if that is not to be had.
bool needs_network(const settings& s, const bootstrap& from) {
  const auto& hosts = from.hosts();
  const auto other =
      std::find_if(hosts.begin(), hosts.end(), [](std::uint32_t host) { return host != 0; });
  if (other == hosts.end()) return s.lamella == "rofi";
  if (s.lamella == "shmem") {
    throw config_error(
        fmt::format("LAMELLAR_LAMELLA=shmem: PE 0 and PE {} are on different hosts; leave the "
                    "variable out, or write rofi",
                    other - hosts.begin()));
  }
#ifndef LAMELLAR_HAS_LIBFABRIC
  throw config_error(
      fmt::format("PE 0 and PE {} are on different hosts, and this build has no lamella for "
                  "several hosts: install libfabric (on Debian: apt-get install libfabric-dev) "
                  "and build again, or start all PEs on one host",
                  other - hosts.begin()));
#endif
  return true;
}

job open_launched(const settings& s, std::shared_ptr<bootstrap> from) {
  check_launched(s, *from);
  job opened;
#ifdef LAMELLAR_HAS_LIBFABRIC
  if (needs_network(s, *from)) {
    opened.pes.push_back(open_rofi(s, std::move(from)));
    return opened;
  }
#else
  needs_network(s, *from);
#endif
  host_place place = share_host_memory(*from, s);
  opened.pes.push_back(make_shmem(std::move(place), s, std::move(from)));
  return opened;
}

}  // namespace

std::vector<std::string_view> lamella_names() {
#ifdef LAMELLAR_HAS_LIBFABRIC
  return {"local", "shmem", "rofi", "sim"};
#else
  return {"local", "shmem", "sim"};
#endif
}

void job::run(const std::function<void(std::size_t)>& as_pe) const {
  if (take_turns) {
    take_turns(as_pe);
    return;
  }
  std::vector<std::thread> others;
  for (std::size_t k = 1; k < pes.size(); ++k) others.emplace_back([&, k] { as_pe(k); });
  as_pe(0);
  for (std::thread& other : others) other.join();
}

bool is_launched(const settings& s) {
  if (launch_from_environment()) return true;
  if (is_for_one_process(s)) return false;
  const auto other = other_launcher_from_environment();
  return other && !leaves_alone(*other);
}

job open_job(const settings& s) {
#ifdef LAMELLAR_HAS_LIBFABRIC
  take_back_signals();
#endif
  settings chosen = s;
  if (chosen.job_budget == 0) chosen.job_budget = default_job_budget();

  if (is_launched(chosen)) return open_launched(chosen, find_bootstrap(chosen));
  if (chosen.lamella.empty() || chosen.lamella == "local") {
    job opened;
    opened.pes = open_local(chosen);
    return opened;
  }
  if (chosen.lamella == "sim") return open_sim(chosen);
  if (chosen.lamella == "shmem" || chosen.lamella == "rofi") {
    throw config_error(fmt::format(
        "LAMELLAR_LAMELLA={}: its processes come from a launcher; write lamellar-run -n N "
        "PROGRAM (or mpirun, srun --mpi=pmix), or set LAMELLAR_PES=N instead for PEs as "
        "threads of one process",
        chosen.lamella));
  }
  throw config_error(fmt::format("LAMELLAR_LAMELLA={}: not in this build; use one of: {}",
                                 chosen.lamella, fmt::join(lamella_names(), ", ")));
}

}  // namespace lamellar::lamellae
