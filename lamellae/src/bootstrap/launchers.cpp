// SPDX-License-Identifier: BSD-3-Clause
#include "launchers.hpp"

#include <charconv>
#include <string_view>
#include <utility>

namespace lamellar::lamellae {
namespace {

struct known_launcher {
  const char* name;
  const char* size_variable;  // set for the processes of a job and for nobody else
};

// mpirun first, which may itself run inside of a step of Slurm's, and mpiexec last, since srun
// sets its variables too. SLURM_NTASKS would not do: a batch script has it, and starts
// processes that belong to no step.
constexpr known_launcher all_known[] = {
    {"mpirun", "OMPI_COMM_WORLD_SIZE"},
    {"srun", "SLURM_STEP_NUM_TASKS"},
    {"mpiexec", "PMI_SIZE"},
};

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

#ifdef LAMELLAR_HAS_PMIX
constexpr bool has_pmix = true;
#else
constexpr bool has_pmix = false;
#endif

}  // namespace

std::vector<std::string_view> launcher_names() {
  if (!has_pmix) return {"lamellar-run"};
  return {"lamellar-run", "mpirun", "srun --mpi=pmix", "prterun"};
}

bool leaves_alone(const other_launcher& by) {
  return !(has_pmix && by.speaks_pmix) && by.pes && *by.pes <= 1;
}

std::optional<other_launcher> other_launcher_from_environment() {
  other_launcher found;
  found.speaks_pmix = foreign_variable("PMIX_RANK") && foreign_variable("PMIX_NAMESPACE");
  for (const known_launcher& each : all_known) {
    const auto size = foreign_variable(each.size_variable);
    if (!size) continue;
    found.name = each.name;
    found.pes = number(*size);
    return found;
  }
  if (!found.speaks_pmix) return std::nullopt;
  found.name = "the PMIx launcher";
  return found;
}

}  // namespace lamellar::lamellae
