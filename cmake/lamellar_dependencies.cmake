# SPDX-License-Identifier: BSD-3-Clause
# What we build on. Each miss says which Debian package would mend it.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(hwloc REQUIRED IMPORTED_TARGET hwloc)
find_package(cereal REQUIRED)
