// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <memory>

#include "bootstrap/bootstrap.hpp"

// `shmem`: one process for each PE, all on one host. The arena and all segments lie in memory
// that every process has open. Who started the processes, and who watches them, is the
// bootstrap's affair.
namespace lamellar::lamellae {

/// A lamella for the PEs of one host, numbered within it.
///
/// `from`: is told when this PE has left in good order, and kept until then; nullptr where
/// somebody else does so.
std::unique_ptr<lamella> make_shmem(host_place place, const settings& s,
                                    std::shared_ptr<bootstrap> from);

}  // namespace lamellar::lamellae
