// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <thread>

#include "environment.hpp"
#include "local.hpp"
#include "shmem.hpp"
#include "sim/sim.hpp"

namespace lamellar::lamellae {
namespace {

/// What is asked for under a launcher must be what the launcher made.
void check_launched(const settings& s, const launch& place) {
  if (s.pes > 1) {
    throw config_error(
        fmt::format("LAMELLAR_PES={}: lamellar-run has started {} PEs already, one "
                    "for each process; use its -n alone",
                    s.pes, place.pes));
  }
  if (!s.lamella.empty() && s.lamella != "shmem") {
    throw config_error(
        fmt::format("LAMELLAR_LAMELLA={}: the processes of lamellar-run use shmem; "
                    "start the program by itself, with LAMELLAR_PES for more PEs",
                    s.lamella));
  }
}

}  // namespace

std::vector<std::string_view> lamella_names() { return {"local", "shmem", "sim"}; }

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

job open_job(const settings& s) {
  settings chosen = s;
  if (chosen.job_budget == 0) chosen.job_budget = default_job_budget();

  job opened;
  if (const auto place = launch_from_environment()) {
    check_launched(chosen, *place);
    opened.pes.push_back(open_shmem(chosen, *place));
    return opened;
  }
  if (chosen.lamella.empty() || chosen.lamella == "local") {
    opened.pes = open_local(chosen);
    return opened;
  }
  if (chosen.lamella == "sim") return open_sim(chosen);
  if (chosen.lamella == "shmem") {
    throw config_error(
        "LAMELLAR_LAMELLA=shmem: its processes come from a launcher; write lamellar-run -n N "
        "PROGRAM, or set LAMELLAR_PES=N instead for PEs as threads of one process");
  }
  throw config_error(fmt::format("LAMELLAR_LAMELLA={}: not in this build; use one of: {}",
                                 chosen.lamella, fmt::join(lamella_names(), ", ")));
}

}  // namespace lamellar::lamellae
