// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <thread>
#include <utility>

#include "../membership.hpp"
#include "launchers.hpp"

// Under lamellar-run: the launcher's memory has a page for each PE, through which blobs are
// exchanged, and the PEs' states, from which the launcher learns what the end of one means.
namespace lamellar::lamellae {
namespace {

/// End with the launcher, even when it is killed. Inherited neither by programs that this
/// process starts nor, when a shell stands between, from the launcher: so each PE says it for
/// itself.
void end_with_launcher(const job_memory& memory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (kill(memory.page().launcher, 0) != 0 && errno == ESRCH) {
    abort_job(1, "lamellar-run ended before this PE joined the job");
  }
}

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

class launcher_bootstrap final : public bootstrap {
 public:
  launcher_bootstrap(const launch& place, const settings& s)
      : memory_{job_memory::open(place.job_fd, place.pes)}, layout_{memory_.layout()} {
    me_ = place.pe;
    size_ = place.pes;
    remember_shared_job(memory_, me_);
    end_with_launcher(memory_);
    claim(memory_, me_);
    learn_hosts("this one", s);
  }

  std::string_view launcher() const override { return "lamellar-run"; }
  std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) override;
  std::optional<job_memory> memory_of_launcher() const override { return memory_.again(); }
  void abort(int, std::string_view) noexcept override {}
  void finished() noexcept override { memory_.entry(me_).state.store(pe_state::finished); }

 private:
  exchange_page& page_of(std::uint32_t pe) const {
    return *reinterpret_cast<exchange_page*>(memory_.arena() + layout_.exchange_offset(pe));
  }
  void meet();

  job_memory memory_;
  arena_layout layout_;
};

/// Wait until all PEs have come as far as this one.
void launcher_bootstrap::meet() {
  const std::uint64_t step = memory_.entry(me_).steps.fetch_add(1) + 1;
  for (std::uint32_t pe = 0; pe < size_; ++pe) {
    const pe_entry& other = memory_.entry(pe);
    while (other.steps.load(std::memory_order_acquire) < step) {
      if (memory_.page().aborted_by.load() != 0 || other.state.load() > pe_state::joined) {
        abort_job(1, fmt::format("PE {} has left before all PEs had joined the job", pe));
      }
      std::this_thread::yield();
    }
  }
}

std::vector<std::vector<std::byte>> launcher_bootstrap::exchange(
    std::span<const std::byte> mine) {
  exchange_page& page = page_of(me_);
  std::vector<std::vector<std::byte>> all(size_);
  page.total = mine.size();
  for (std::uint64_t done = 0, longest = 1; done < longest; done += exchange_page::chunk) {
    const std::size_t now = std::min(mine.size(), exchange_page::chunk);
    page.bytes = now;
    if (now != 0) std::memcpy(page.data, mine.data(), now);
    mine = mine.subspan(now);
    meet();  // all have written
    for (std::uint32_t pe = 0; pe < size_; ++pe) {
      const exchange_page& theirs = page_of(pe);
      longest = std::max(longest, theirs.total);
      all[pe].insert(all[pe].end(), theirs.data, theirs.data + theirs.bytes);
    }
    meet();  // all have read
  }
  return all;
}

}  // namespace

std::unique_ptr<bootstrap> make_launcher_bootstrap(const launch& place, const settings& s) {
  return std::make_unique<launcher_bootstrap>(place, s);
}

}  // namespace lamellar::lamellae
