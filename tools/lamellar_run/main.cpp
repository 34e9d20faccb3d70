// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <optional>

#include "children.hpp"
#include "job_memory.hpp"
#include "labels.hpp"
#include "memory.hpp"
#include "options.hpp"
#include "supervisor.hpp"

// lamellar-run: N processes on this host as the PEs of one job.
namespace lamellar::run {
namespace {

constexpr int wrong_usage = 2;
constexpr std::uint32_t most_pes = 4096;
constexpr std::size_t least_process_bytes = std::size_t{2} << 20;

/// Refuse early what would fail after thousands of processes have been started.
void check_room(std::uint32_t pes) {
  if (pes > most_pes) {
    throw config_error{fmt::format("-n {}: one host holds at most {} PEs", pes, most_pes)};
  }
  rlimit limit{};
  if (geteuid() != 0 && getrlimit(RLIMIT_NPROC, &limit) == 0 && pes >= limit.rlim_cur) {
    throw config_error{fmt::format(
        "-n {}: you may have {} processes; start fewer PEs or raise the limit (ulimit -u)", pes,
        limit.rlim_cur)};
  }
  const std::size_t left = lamellae::memory_available();
  if (pes > left / least_process_bytes) {
    throw config_error{
        fmt::format("-n {}: {} MiB of memory are left, which is too little for so many "
                    "processes; start fewer PEs",
                    pes, left >> 20)};
  }
}

lamellae::settings checked_settings(const options& chosen) {
  lamellae::settings s = lamellae::settings::from_environment();
  if (s.pes != 1) {
    throw config_error{
        fmt::format("LAMELLAR_PES={}: it counts threads of a program started by itself; unset "
                    "it, -n alone says how many PEs there are",
                    s.pes)};
  }
  if (!chosen.lamella.empty()) s.lamella = chosen.lamella;
  if (!s.lamella.empty() && s.lamella != "shmem" && s.lamella != "rofi") {
    throw config_error{fmt::format(
        "lamella {}: processes use shmem or rofi; leave --lamella and LAMELLAR_LAMELLA out for "
        "the first",
        s.lamella)};
  }
  if (s.lamella == "shmem" && chosen.hosts > 1) {
    throw config_error{fmt::format(
        "--hosts {}: PEs on several hosts use rofi; leave lamella shmem out", chosen.hosts)};
  }
  if (s.job_budget == 0) s.job_budget = lamellae::default_job_budget();
  return s;
}

int run_job(const options& chosen) {
  const lamellae::settings s = checked_settings(chosen);
  check_room(chosen.pes);
  // Half of the budget for buffers, half for messages that wait, as under `local`.
  const auto memory =
      lamellae::job_memory::create(chosen.pes, s.buffer_bytes, s.job_budget / 2);
  std::optional<labels> labelled;
  if (chosen.label) labelled.emplace(chosen.pes);
  labels* const labelled_or_none = labelled ? &*labelled : nullptr;

  adopt_orphans();
  const taken_signals signals;
  auto children = start_children(chosen, memory, labelled_or_none, signals.mask_before());
  supervisor watch{std::move(children), memory,           signals,
                   labelled_or_none,    s.peer_timeout_s, chosen.hosts > 1};
  const int code = watch.run();
  end_descendants();
  if (labelled) labelled->finish();
  return code;
}

int main_or_throw(int argc, char** argv) {
  const options chosen = parse(argc, argv);
  if (chosen.help) {
    fmt::print("{}", help_text);
    return 0;
  }
  if (chosen.version) {
    fmt::print("lamellar-run {}\n", LAMELLAR_VERSION);
    return 0;
  }
  return run_job(chosen);
}

}  // namespace
}  // namespace lamellar::run

int main(int argc, char** argv) {
  try {
    return lamellar::run::main_or_throw(argc, argv);
  } catch (const lamellar::run::start_failure& e) {
    fmt::print(stderr, "lamellar-run: {}\n", e.what());
    return e.code;
  } catch (const lamellar::config_error& e) {
    fmt::print(stderr, "lamellar-run: {}\n", e.what());
    return lamellar::run::wrong_usage;
  } catch (const std::exception& e) {
    fmt::print(stderr, "lamellar-run: {}\n", e.what());
    return 1;
  }
}
