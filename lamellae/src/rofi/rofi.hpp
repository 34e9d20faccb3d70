// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <memory>

#include "../bootstrap/bootstrap.hpp"

// `rofi`: one process for each PE, on any number of hosts. PEs of one host use what shmem uses;
// PEs of different hosts use the network through libfabric.
namespace lamellar::lamellae {

/// Join the job that `from` found.
///
/// Collective over it. Throws: config_error, out_of_memory.
std::unique_ptr<lamella> open_rofi(const settings& given, std::shared_ptr<bootstrap> from);

}  // namespace lamellar::lamellae
