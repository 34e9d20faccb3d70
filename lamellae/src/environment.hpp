// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What lamellar-run tells the processes that it starts, and how they read it. The names stand
// in the table of environment.cpp, beside those that a user sets.
namespace lamellar::lamellae {

inline constexpr char job_fd_variable[] = "LAMELLAR_JOB_FD";
inline constexpr char job_pes_variable[] = "LAMELLAR_JOB_PES";
inline constexpr char pe_variable[] = "LAMELLAR_PE";
inline constexpr char joined_variable[] = "LAMELLAR_JOINED";
inline constexpr char lamella_variable[] = "LAMELLAR_LAMELLA";
inline constexpr char threads_variable[] = "LAMELLAR_THREADS";
inline constexpr char pes_variable[] = "LAMELLAR_PES";
inline constexpr char host_id_variable[] = "LAMELLAR_HOST_ID";
inline constexpr char hang_variable[] = "LAMELLAR_HANG_SECONDS";
inline constexpr char sim_seed_variable[] = "LAMELLAR_SIM_SEED";

/// The place of this process in a job that a launcher started.
struct launch {
  int job_fd = -1;  ///< the job's memory, inherited
  std::uint32_t pe = 0;
  std::uint32_t pes = 1;
};

/// Where a launcher put this process; nothing when there is none.
///
/// Throws: config_error when the variables are ill-formed or only some of them are there.
std::optional<launch> launch_from_environment();

/// What a variable of another launcher says; nothing when it is not set.
std::optional<std::string> foreign_variable(const char* name);

/// Set a variable for the programs that this process starts. Not safe while other threads read
/// the environment.
void set_for_children(const char* name, const std::string& value);

/// All LAMELLAR_* variables that are set, as NAME=value, sorted.
std::vector<std::string> assignments_in_environment();

}  // namespace lamellar::lamellae
