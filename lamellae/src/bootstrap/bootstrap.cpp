// SPDX-License-Identifier: BSD-3-Clause
#include "bootstrap.hpp"

#include <fmt/format.h>

#include <lamellar/lamellae/error.hpp>
#include <map>
#include <string>

#include "launchers.hpp"

namespace lamellar::lamellae {
namespace {

// The first character of what a PE says of its host: who has named it.
constexpr char by_user = 'u';
constexpr char by_launcher = 'l';

[[noreturn]] void refuse_lonely_processes(const other_launcher& by) {
  const char* const cure =
#ifdef LAMELLAR_HAS_PMIX
      by.name == "srun" ? "write srun --mpi=pmix"
                        : "start it with Open MPI's mpirun or with srun --mpi=pmix";
#else
      "build it where PMIx is found (on Debian: apt-get install libpmix-dev)";
#endif
  throw config_error{fmt::format(
      "{} has started {}processes of this program, {}: {}; or set LAMELLAR_LAMELLA=local if "
      "each shall be a job of its own",
      by.name, by.pes ? fmt::format("{} ", *by.pes) : std::string{},
      by.speaks_pmix ? "but the program was built without PMIx, by which they find each other"
                     : "but has no PMIx server for them, by which they find each other",
      cure)};
}

}  // namespace

void bootstrap::learn_hosts(std::string_view launchers_word, const settings& s) {
  const bool has_name = !s.host_id.empty();
  const std::string mine =
      has_name ? by_user + s.host_id : by_launcher + std::string{launchers_word};
  std::vector<std::string> said;
  for (const auto& blob : exchange(std::as_bytes(std::span{mine}))) {
    said.emplace_back(reinterpret_cast<const char*>(blob.data()), blob.size());
  }

  std::map<std::string, std::uint32_t> known;
  hosts_.clear();
  for (std::uint32_t pe = 0; pe < size_; ++pe) {
    if (said[pe].front() != said[0].front()) {
      const bool first_has = said[0].front() == by_user;
      throw config_error{
          fmt::format("LAMELLAR_HOST_ID is set for PE {}, but not for PE {}: set it for all "
                      "PEs, or for none",
                      first_has ? 0 : pe, first_has ? pe : 0)};
    }
    const auto next = static_cast<std::uint32_t>(known.size());
    hosts_.push_back(known.emplace(said[pe], next).first->second);
  }
}

std::unique_ptr<bootstrap> find_bootstrap(const settings& s) {
  if (const auto place = launch_from_environment()) return make_launcher_bootstrap(*place, s);
  const auto other = other_launcher_from_environment();
  if (!other || leaves_alone(*other)) return nullptr;
#ifdef LAMELLAR_HAS_PMIX
  if (other->speaks_pmix) return make_pmix_bootstrap(other->name, s);
#endif
  refuse_lonely_processes(*other);
}

}  // namespace lamellar::lamellae
