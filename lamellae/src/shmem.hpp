// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <memory>

#include "environment.hpp"

// `shmem`: one process for each PE, all on one host. The arena and all segments lie in memory
// that the launcher created and every process inherited.
namespace lamellar::lamellae {

/// Join the job at the place that the launcher gave this process.
///
/// Throws: config_error, out_of_memory.
std::unique_ptr<lamella> open_shmem(const settings& s, const launch& place);

}  // namespace lamellar::lamellae
