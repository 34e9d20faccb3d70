// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/providers.hpp>

#ifdef LAMELLAR_HAS_LIBFABRIC
#include "fabric/fabric.hpp"
#endif

namespace lamellar::lamellae {

#ifdef LAMELLAR_HAS_LIBFABRIC
std::string network_library() {
  try {
    return fabric::library();
  } catch (const config_error& e) {
    return e.what();
  }
}
std::vector<provider_report> network_providers() {
  try {
    return fabric::providers();
  } catch (const config_error&) {
    return {};
  }
}
#else
std::string network_library() { return {}; }
std::vector<provider_report> network_providers() { return {}; }
#endif

}  // namespace lamellar::lamellae
