// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

// What this machine's network library offers: the providers, each a kind of network with the
// driver for it, and whether a job over several hosts could use them. Threads: any.
namespace lamellar::lamellae {

/// A provider that was looked at, and the interface or device that it would use.
struct provider_report {
  std::string name;     ///< as the library names it, such as tcp;ofi_rxm
  std::string domain;   ///< of the interface or device; empty: none was found
  std::string refusal;  ///< why it cannot be used; empty: it can
};

/// The network library and its version, such as "libfabric 1.17", or why it cannot be loaded;
/// empty: this build has none.
std::string network_library();

/// All providers that the network library knows here, the one that is used by default first.
/// They are asked, not tried; none, if the library cannot be loaded. Cost: half a second at the
/// first call.
std::vector<provider_report> network_providers();

}  // namespace lamellar::lamellae
