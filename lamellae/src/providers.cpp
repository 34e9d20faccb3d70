// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/lamellae/providers.hpp>

#ifdef LAMELLAR_HAS_LIBFABRIC
#include "fabric/fabric.hpp"
#endif

namespace lamellar::lamellae {

#ifdef LAMELLAR_HAS_LIBFABRIC
std::string network_library() { return fabric::library(); }
std::vector<provider_report> network_providers() { return fabric::providers(); }
#else
std::string network_library() { return {}; }
std::vector<provider_report> network_providers() { return {}; }
#endif

}  // namespace lamellar::lamellae
