# SPDX-License-Identifier: BSD-3-Clause
# What `cmake --install` adds to the layers' own files: the packages that find_package(lamellar) and pkg-config read, and the
# licence. Components: runtime (shared libraries), dev (headers, archives, what finds them), tools (programs).
include(CMakePackageConfigHelpers)
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/lamellar")
configure_package_config_file(cmake/lamellarConfig.cmake.in "${PROJECT_BINARY_DIR}/lamellarConfig.cmake"
  INSTALL_DESTINATION "${package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lamellarConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/lamellarConfig.cmake" "${PROJECT_BINARY_DIR}/lamellarConfigVersion.cmake"
  cmake/lamellar_kokkos.cmake DESTINATION "${package}" COMPONENT dev)
install(EXPORT lamellarTargets NAMESPACE lamellar:: DESTINATION "${package}" COMPONENT dev)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)
include(lamellar_pkgconfig)
