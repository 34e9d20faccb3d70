// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>

// `sim`: N PEs of one process that run one at a time, in an order that a seed decides, over a
// network that delays, reorders and costs what the settings say. docs/simulator.md.
namespace lamellar::lamellae {

/// Throws: config_error for several threads, for more PEs than a process holds, and for a trace
/// that cannot be written.
job open_sim(const settings& s);

}  // namespace lamellar::lamellae
