// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <memory>
#include <vector>

// `local`: N PEs as threads of one process, the arena and all segments in private memory.
namespace lamellar::lamellae {

std::vector<std::unique_ptr<lamella>> open_local(const settings& s);

}  // namespace lamellar::lamellae
