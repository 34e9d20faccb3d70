// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "../bootstrap/bootstrap.hpp"

// Who is where. Thread-safety: constant after construction.
namespace lamellar::lamellae {

struct places {
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};

  std::vector<std::uint32_t> hosts;                 // by PE: its host
  std::vector<std::uint32_t> near;                  // by PE: its index on this host, or nobody
  std::vector<std::uint32_t> pes;                   // of this host
  std::vector<std::vector<std::uint32_t>> on_host;  // by host: its PEs

  places(const bootstrap& from, std::vector<std::uint32_t> of_this_host)
      : hosts{from.hosts()}, near(from.size(), nobody), pes{std::move(of_this_host)} {
    for (std::uint32_t k = 0; k < pes.size(); ++k) near[pes[k]] = k;
    for (std::uint32_t pe = 0; pe < hosts.size(); ++pe) {
      if (hosts[pe] == on_host.size()) on_host.emplace_back();
      on_host[hosts[pe]].push_back(pe);
    }
  }
  std::uint32_t host_count() const { return static_cast<std::uint32_t>(on_host.size()); }
  std::uint32_t this_host() const { return hosts[pes.front()]; }
  bool has_far() const { return on_host.size() > 1; }
  std::vector<bool> far() const {
    std::vector<bool> is_far(near.size());
    for (std::size_t pe = 0; pe < near.size(); ++pe) is_far[pe] = near[pe] == nobody;
    return is_far;
  }
  /// By host: its first PE.
  std::vector<std::uint32_t> leaders() const {
    std::vector<std::uint32_t> firsts;
    for (const auto& on : on_host) firsts.push_back(on.front());
    return firsts;
  }
};

}  // namespace lamellar::lamellae
