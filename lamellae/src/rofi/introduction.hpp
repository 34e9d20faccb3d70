// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/lamellae/settings.hpp>
#include <string>
#include <vector>

#include "../bootstrap/bootstrap.hpp"
#include "control.hpp"

// What every PE says of itself before anything else: where it runs, and the settings that must
// be the same everywhere.
//
// Thread-safety: the thread that opens the job.
namespace lamellar::lamellae {

struct introduction {
  job_secret secret{};  ///< PE 0's is the job's
  std::uint64_t machine = 0;
  std::uint64_t network = 0;  ///< the namespace
  std::uint64_t buffer_bytes = 0;
  std::uint64_t mapped = 0;
  std::uint64_t host_aggregation = 0;  ///< 0: choose
  double peer_timeout_s = 0;
};

/// By PE. Collective. Throws: config_error, naming a variable that differs, and where.
std::vector<introduction> introduce_all(bootstrap& from, const settings& s);

/// Where this PE listens: on the loopback if all are on one machine, else on the interface that
/// LAMELLAR_ROFI_ADDRESS names, or the first one. Throws: config_error.
std::string address_for(const std::vector<introduction>& all, const settings& s);

/// What of that the provider is told: on several machines only what the user has said, since
/// fast networks have interfaces of their own.
std::string address_for_provider(const std::string& address, const settings& s);

}  // namespace lamellar::lamellae
