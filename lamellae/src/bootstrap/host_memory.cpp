// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <set>
#include <span>
#include <utility>

#include "../membership.hpp"
#include "../pinning.hpp"
#include "bootstrap.hpp"

namespace lamellar::lamellae {
namespace {

std::vector<std::uint32_t> pes_of_this_host(const bootstrap& from) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t pe = 0; pe < from.size(); ++pe) {
    if (from.hosts()[pe] == from.hosts()[from.me()]) found.push_back(pe);
  }
  return found;
}

/// What a PE tells the others of its host: where the memory is, if it has made it, and then the
/// hardware threads that it may use.
std::vector<std::byte> announcement(const job_memory::whereabouts& memory) {
  const std::vector<unsigned>& threads = hardware_threads_of_process();
  const auto bytes = std::as_bytes(std::span{threads});
  std::vector<std::byte> blob(sizeof memory);
  std::memcpy(blob.data(), &memory, sizeof memory);
  blob.insert(blob.end(), bytes.begin(), bytes.end());
  return blob;
}

std::uint32_t threads_together(const std::vector<std::vector<std::byte>>& said,
                               const std::vector<std::uint32_t>& pes) {
  std::set<unsigned> all;
  for (const std::uint32_t pe : pes) {
    auto rest = std::span{said[pe]}.subspan(sizeof(job_memory::whereabouts));
    for (; !rest.empty(); rest = rest.subspan(sizeof(unsigned))) {
      unsigned one = 0;
      std::memcpy(&one, rest.data(), sizeof one);
      all.insert(one);
    }
  }
  return std::max(1U, static_cast<std::uint32_t>(all.size()));
}

}  // namespace

host_place share_host_memory(bootstrap& from, const settings& s) {
  std::vector<std::uint32_t> pes = pes_of_this_host(from);
  const auto index =
      static_cast<std::uint32_t>(std::find(pes.begin(), pes.end(), from.me()) - pes.begin());
  const auto count = static_cast<std::uint32_t>(pes.size());

  // The launcher's own memory does where all PEs share it.
  std::optional<job_memory> memory =
      count == from.size() ? from.memory_of_launcher() : std::nullopt;
  const bool is_launchers = memory.has_value();
  if (!is_launchers && index == 0) {
    const std::size_t budget = s.job_budget != 0 ? s.job_budget : default_job_budget();
    // Half of it for buffers, half for messages that wait.
    memory.emplace(job_memory::create(count, s.buffer_bytes, budget / 2));
    memory->keep_from_children();
  }
  const auto said =
      from.exchange(announcement(memory ? memory->where() : job_memory::whereabouts{}));
  if (!memory) {
    job_memory::whereabouts made;
    std::memcpy(&made, said[pes.front()].data(), sizeof made);
    memory.emplace(job_memory::open(made, count));
  }
  if (!is_launchers) remember_shared_job(*memory, from.me());
  const std::uint32_t threads = threads_together(said, pes);
  return {std::move(pes), index, threads, std::move(*memory)};
}

}  // namespace lamellar::lamellae
