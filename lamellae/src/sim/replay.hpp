// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/settings.hpp>
#include <string>

// What a simulated job says about itself: how to repeat it, and what it did.
namespace lamellar::lamellae::sim {

/// The command that repeats the run of this program under `s`, for a shell.
std::string replay_command(const settings& s);

/// Some lines on what a job has done.
std::string summary(const settings& s, const simulation_result& of);

}  // namespace lamellar::lamellae::sim
