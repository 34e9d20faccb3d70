// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <filesystem>

// How much memory there is. The system grants more than it has and kills later; whoever wants a
// large piece asks here first, so that a refusal becomes an exception. Threads: any.
namespace lamellar::lamellae {

/// Bytes that this process may use at most: installed memory, or what its control group or its
/// resource limits leave of it. Constant while the limits are. `root` is where the system's
/// /proc and /sys are found.
std::size_t memory_limit(const std::filesystem::path& root = "/");

/// Bytes that could be had now without swapping, the same limits considered.
std::size_t memory_available(const std::filesystem::path& root = "/");

}  // namespace lamellar::lamellae
