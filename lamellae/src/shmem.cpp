// SPDX-License-Identifier: BSD-3-Clause
#include "shmem.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <utility>

#include "job_memory.hpp"
#include "mapped_lamella.hpp"
#include "membership.hpp"
#include "pinning.hpp"
#include "segments.hpp"

namespace lamellar::lamellae {
namespace {

/// Take the PE's place, which one process may do once.
void claim(const job_memory& memory, std::uint32_t pe) {
  pe_entry& entry = memory.entry(pe);
  std::int32_t nobody = 0;
  if (!entry.process.compare_exchange_strong(nobody, getpid())) {
    throw config_error{fmt::format(
        "{}={}: process {} has joined the job in this place; a program that a PE starts cannot "
        "join too: unset {}, {} and {} for it",
        pe_variable, pe, nobody, job_fd_variable, job_pes_variable, pe_variable)};
  }
  entry.state.store(pe_state::joined);
  // The launcher stores `gone` and then looks for anybody joined; here it is the other way
  // around, so one of the two notices.
  for (std::uint32_t other = 0; other < memory.page().pes; ++other) {
    if (memory.entry(other).state.load() == pe_state::gone) {
      abort_job(1, fmt::format("PE {} ended without joining the job", other));
    }
  }
}

/// End with the launcher, even when it is killed. Inherited neither by programs that this
/// process starts nor, when a shell stands between, from the launcher: so each PE says it for
/// itself.
void end_with_launcher(const job_memory& memory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (kill(memory.page().launcher, 0) != 0 && errno == ESRCH) {
    abort_job(1, "lamellar-run ended before this PE joined the job");
  }
}

class shmem_lamella final : public mapped_lamella {
 public:
  shmem_lamella(std::uint32_t me, job_memory memory, const settings& s)
      : mapped_lamella{me, memory.arena(), memory.layout()},
        memory_{std::move(memory)},
        segments_{{memory_.fd(), &memory_.page().end},
                  {memory_.page().huge_job_fd, &memory_.page().huge_end}} {
    able_.mapped = s.mapped;
    able_.lines = s.mapped;
    able_.pes_on_host = size();
    able_.oversubscribed = std::uint64_t{size()} * s.threads > hardware_threads_available();
    remember_shared_job(memory_, me);
  }
  ~shmem_lamella() override { forget_shared_job(); }

  /// Take this PE's place, once its process is sure to end with the launcher.
  void join() {
    end_with_launcher(memory_);
    claim(memory_, me());
  }

  const char* name() const override { return "shmem"; }

  segment allocate_segment(std::size_t bytes) override { return segments_.allocate(bytes); }
  void free_segment(const segment& which) override { segments_.free(which); }
  std::byte* mapped(std::uint32_t, std::uint64_t key, std::size_t bytes) override {
    return able_.mapped ? segments_.mapped(key, bytes) : nullptr;
  }

  void finished() override { memory_.entry(me()).state.store(pe_state::finished); }

 private:
  job_memory memory_;
  shared_segments segments_;
};

}  // namespace

std::unique_ptr<lamella> open_shmem(const settings& s, const launch& place) {
  job_memory memory = job_memory::open(place.job_fd, place.pes);
  auto opened = std::make_unique<shmem_lamella>(place.pe, std::move(memory), s);
  opened->join();
  return opened;
}

}  // namespace lamellar::lamellae
