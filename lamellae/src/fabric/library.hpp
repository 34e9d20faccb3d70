// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rdma/fabric.h>

// libfabric, loaded when a network is first wanted. Some of the libraries that it brings along
// take a fifth of a second to begin (Debian's libpsm_infinipath1 measures a clock), which each
// program would spend before main(), and its launcher too, if they were linked with it.
//
// Thread-safety: any thread.
namespace lamellar::lamellae {

/// The functions that libfabric exports; the others are calls through the objects that these
/// make, and inline.
struct fabric_library {
  decltype(&fi_version) version;
  decltype(&fi_getinfo) getinfo;
  decltype(&fi_freeinfo) freeinfo;
  decltype(&fi_dupinfo) dupinfo;  // of nullptr: an empty one, as fi_allocinfo()
  decltype(&fi_fabric) fabric;
  decltype(&fi_strerror) strerror;
};

/// Load libfabric at the first call; it stays. Throws: config_error, if it cannot be loaded or
/// is older than the headers that this was compiled with.
const fabric_library& libfabric();

}  // namespace lamellar::lamellae
