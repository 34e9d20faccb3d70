// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/simulation.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Everything that a user can set through the environment, in one place: the table of LAMELLAR_*
// variables and the values that they gave. Read once, when a job opens; a value set by hand in
// a `settings` wins over the environment. Plain data: no thread-safety of its own.
namespace lamellar::lamellae {

/// One row of the table that `lamellar-info` prints.
struct variable {
  std::string_view name;           ///< LAMELLAR_...
  std::string_view default_value;  ///< as a user would write it; "auto" where it is computed
  std::string_view meaning;        ///< one sentence, with the unit
};

/// The values that a job runs with. 0 means "choose" where the comment says so.
struct settings {
  std::string lamella;  ///< "local", "shmem" or "sim"; empty: shmem under a launcher, or local
  std::uint32_t pes = 1;      ///< PEs in this process (local and sim only)
  std::uint32_t threads = 1;  ///< threads of each PE, the main one included
  std::string host_id;        ///< PEs with equal ones share a host; empty: as the launcher says
  std::size_t heap_size = 0;  ///< bytes that a PE's symmetric heap may grow to; 0: choose
  std::size_t job_budget = 0;  ///< bytes for buffers and spilled messages, whole job; 0: choose
  std::size_t buffer_bytes = 8192;  ///< one message buffer, header included
  bool buffer_bytes_given = false;  ///< else rofi takes larger ones
  bool mapped = true;               ///< false hides peers' memory: all goes through messages
  double peer_timeout_s = 5;        ///< a peer silent for so long is lost; 0: never
  double hang_s = 600;              ///< say what is waited for after so long; 0: never
  bool statistics = false;          ///< print counters when the job ends
#ifdef LAMELLAR_CHECKED
  bool warnings = true;  ///< say once of each kind what is allowed and likely a mistake
#else
  bool warnings = false;
#endif
  std::optional<bool> host_aggregation;  ///< by rofi, and sim: see running.md; nothing: choose
  std::string rofi_provider;  ///< of libfabric, as lamellar-info lists them; empty: choose
  std::string rofi_domain;    ///< the provider's interface or device; empty: choose
  std::string rofi_address;   ///< of an interface or its network; empty: choose
  bool pin = true;            ///< bind each PE's threads to their own cores
  simulation sim;             ///< of the lamella sim

  /// Read the environment.
  ///
  /// Threads: any. Throws: config_error for an ill-formed value or an unknown LAMELLAR_*
  /// variable; the text names the variable, what is wrong, and the nearest known name.
  static settings from_environment();
};

/// All variables, in the order in which a reader wants them.
std::span<const variable> variables();

/// What the environment gives for `which`, as written there; nothing when it is not set.
std::optional<std::string> value_in_environment(const variable& which);

/// The budget that a job gets when nobody names one: a quarter of the memory that this process
/// may use, limits of its control group included. The same on every PE of a host.
std::size_t default_job_budget();

}  // namespace lamellar::lamellae
