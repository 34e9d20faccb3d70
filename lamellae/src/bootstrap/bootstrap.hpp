// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/settings.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../job_memory.hpp"

// How the processes of a job find each other, before they have any lamella: who I am, how many
// there are, who shares a host with whom, and an exchange of what each has to say. Comes from
// the launcher that started the process: lamellar-run, or one that speaks PMIx (mpirun, srun).
//
// Thread-safety: the thread that opens the job; abort() any thread.
namespace lamellar::lamellae {

class bootstrap {
 public:
  virtual ~bootstrap() = default;
  bootstrap(const bootstrap&) = delete;
  bootstrap& operator=(const bootstrap&) = delete;

  std::uint32_t me() const { return me_; }
  std::uint32_t size() const { return size_; }
  /// By PE: the number of its host, from 0 in the order of each host's first PE. The launcher
  /// says which PEs share one; LAMELLAR_HOST_ID overrides.
  const std::vector<std::uint32_t>& hosts() const { return hosts_; }
  /// Forget who shares a host with whom: for trying the network on one machine.
  void pretend_one_pe_per_host() {
    for (std::uint32_t pe = 0; pe < size_; ++pe) hosts_[pe] = pe;
  }
  /// As users know it.
  virtual std::string_view launcher() const = 0;

  /// Give every PE everybody's blob. Collective, blocking, for start-up; when the job ends
  /// meanwhile it throws, or ends this PE too. Result: by PE number.
  virtual std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) = 0;
  /// The memory that the launcher has made for all PEs of the job, if it does such a thing.
  virtual std::optional<job_memory> memory_of_launcher() const { return std::nullopt; }
  /// Have the launcher end all PEs. Returns, soon or late or at once; the caller then ends this
  /// process with `code`, by which lamellar-run notices.
  virtual void abort(int code, std::string_view text) noexcept = 0;
  /// This PE has left in good order: the launcher must not take its end for a failure.
  virtual void finished() noexcept = 0;

 protected:
  bootstrap() = default;
  /// Fill in hosts(): `launchers_word` is the same on PEs of one host. Collective, for
  /// constructors that have come so far that exchange() works.
  void learn_hosts(std::string_view launchers_word, const settings& s);

  std::uint32_t me_ = 0;
  std::uint32_t size_ = 1;
  std::vector<std::uint32_t> hosts_;
};

/// The bootstrap of whoever started this process; nullptr: nobody that we know.
///
/// Collective over the job. Throws: config_error.
std::unique_ptr<bootstrap> find_bootstrap(const settings& s);

/// This PE's place among those of its host, and the memory that these share: made by the first
/// of them and opened by the others, or that of the launcher where it has made one for just
/// these. Nothing of it has a name in any file system.
struct host_place {
  std::vector<std::uint32_t> pes;  ///< of this host, ascending
  std::uint32_t index = 0;         ///< of this PE among them
  /// That these PEs may use together: each may be bound to some by its launcher.
  std::uint32_t hardware_threads = 1;
  job_memory memory;
};

/// Collective over the whole job: one exchange, the same on all PEs. A PE that returns may not
/// end before the others have returned: what they open goes with it.
///
/// Throws: config_error when the memory cannot be opened, saying what stands between the PEs;
/// out_of_memory.
host_place share_host_memory(bootstrap& from, const settings& s);

}  // namespace lamellar::lamellae
