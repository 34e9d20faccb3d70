// SPDX-License-Identifier: BSD-3-Clause
#include "library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <lamellar/lamellae/error.hpp>

namespace lamellar::lamellae {

namespace {

[[noreturn]] void cannot_load(const char* why) {
  throw config_error(fmt::format(
      "libfabric, which reaches other hosts, cannot be loaded: {}; install it (on Debian: "
      "apt-get install libfabric1), or use LAMELLAR_LAMELLA=shmem on one host",
      why));
}

template <class Function>
void find(void* library, const char* name, Function*& into) {
  into = reinterpret_cast<Function*>(dlsym(library, name));
  if (into == nullptr) cannot_load(dlerror());
}

// What is allocated by a newer library may be longer than the headers say, never shorter: so it
// allocates all that is handed to it.
fabric_library load() {
  void* const library = dlopen(LAMELLAR_LIBFABRIC_FILE, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) cannot_load(dlerror());
  fabric_library all{};
  find(library, "fi_version", all.version);
  find(library, "fi_getinfo", all.getinfo);
  find(library, "fi_freeinfo", all.freeinfo);
  find(library, "fi_dupinfo", all.dupinfo);
  find(library, "fi_fabric", all.fabric);
  find(library, "fi_strerror", all.strerror);
  constexpr auto compiled = FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION);
  if (const auto found = all.version(); FI_VERSION_LT(found, compiled)) {
    cannot_load(fmt::format("version {}.{} was found, {}.{} is the least", FI_MAJOR(found),
                            FI_MINOR(found), FI_MAJOR_VERSION, FI_MINOR_VERSION)
                    .c_str());
  }
  return all;
}

}  // namespace

const fabric_library& libfabric() {
  static const fabric_library loaded = load();
  return loaded;
}

}  // namespace lamellar::lamellae
