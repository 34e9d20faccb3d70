# SPDX-License-Identifier: BSD-3-Clause
# What we build on. Each miss says which Debian package would mend it.
option(LAMELLAR_FETCH_KOKKOS "Download and build a Kokkos release instead of looking for an installed one" OFF)
option(LAMELLAR_LIBFABRIC "Reach other hosts through libfabric, where it is installed" ON)

# lamellar_require(<package> <Debian package>): find_package with an error that helps.
macro(lamellar_require package debian)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} was not found. On Debian: apt-get install ${debian} "
      "(tools/setup installs everything that is missing). Elsewhere: set ${package}_ROOT or CMAKE_PREFIX_PATH.")
  endif()
endmacro()

lamellar_require(Threads libc6-dev)
lamellar_require(fmt libfmt-dev)
lamellar_require(cereal libcereal-dev)
lamellar_require(PkgConfig pkg-config)
pkg_check_modules(hwloc QUIET IMPORTED_TARGET hwloc)
if(NOT hwloc_FOUND)
  message(FATAL_ERROR "hwloc was not found by pkg-config. On Debian: apt-get install libhwloc-dev "
    "(tools/setup installs everything that is missing). Elsewhere: set PKG_CONFIG_PATH.")
endif()
# Sorting: Highway's vector sort, which has no CMake package here, and the comparison sort of Boost, headers only. Any Boost
# will do; map_insert_find compares with a table that has come with 1.81.
pkg_check_modules(hwy_contrib QUIET IMPORTED_TARGET libhwy-contrib libhwy)
if(NOT hwy_contrib_FOUND)
  message(FATAL_ERROR "Highway with its contrib library was not found by pkg-config. On Debian: apt-get install libhwy-dev "
    "(tools/setup installs everything that is missing). Elsewhere: set PKG_CONFIG_PATH.")
endif()
lamellar_require(Boost libboost1.81-dev)
# Optional: what launchers such as mpirun and srun speak.
option(LAMELLAR_PMIX "Join jobs that mpirun, srun or another PMIx launcher starts, if PMIx is found" ON)
set(LAMELLAR_HAS_PMIX OFF)
if(LAMELLAR_PMIX)
  pkg_check_modules(pmix QUIET IMPORTED_TARGET pmix)
  set(LAMELLAR_HAS_PMIX ${pmix_FOUND})
endif()
if(LAMELLAR_HAS_PMIX)
  message(STATUS "PMIx ${pmix_VERSION}: programs join jobs of mpirun and srun --mpi=pmix")
else()
  message(STATUS "No PMIx: programs join no jobs of mpirun or srun (On Debian: apt-get install libpmix-dev)")
endif()

# What reaches other hosts; without it there are fewer lamellae, and asking for them says so.
set(LAMELLAR_HAS_LIBFABRIC FALSE)
if(LAMELLAR_LIBFABRIC)
  pkg_check_modules(libfabric QUIET IMPORTED_TARGET libfabric>=1.14)
  if(libfabric_FOUND)
    set(LAMELLAR_HAS_LIBFABRIC TRUE)
    message(STATUS "libfabric ${libfabric_VERSION}: networks can be used")
  else()
    message(STATUS "No libfabric of 1.14 or newer: no network can be used (Debian: apt-get install libfabric-dev)")
  endif()
else()
  message(STATUS "LAMELLAR_LIBFABRIC=OFF: no network can be used")
endif()

# Optional: what decompresses input files; without it, reading such files is refused.
option(LAMELLAR_ZLIB "Read files that gzip has compressed, if zlib is found" ON)
set(LAMELLAR_HAS_ZLIB FALSE)
if(LAMELLAR_ZLIB)
  find_package(ZLIB QUIET)
  set(LAMELLAR_HAS_ZLIB ${ZLIB_FOUND})
endif()
if(LAMELLAR_HAS_ZLIB)
  message(STATUS "zlib ${ZLIB_VERSION_STRING}: compressed files can be read")
else()
  message(STATUS "No zlib: files that gzip has compressed are not read (Debian: apt-get install zlib1g-dev)")
endif()

lamellar_require(CLI11 libcli11-dev)
lamellar_require(nlohmann_json nlohmann-json3-dev)
if(LAMELLAR_TESTS)
  lamellar_require(doctest doctest-dev)
  lamellar_require(Python3 python3)
endif()

include(lamellar_kokkos)
if(LAMELLAR_FETCH_KOKKOS)
  include(FetchContent)
  set(Kokkos_ENABLE_SERIAL ON CACHE BOOL "")
  if(NOT LAMELLAR_SANITIZE STREQUAL "thread")
    set(Kokkos_ENABLE_OPENMP ON CACHE BOOL "")
  endif()
  FetchContent_Declare(kokkos SYSTEM
    GIT_REPOSITORY https://github.com/kokkos/kokkos.git GIT_TAG 4.6.01 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(kokkos)
else()
  # The OpenMP run-time library is not instrumented: under the thread sanitizer its barriers look like races.
  if(LAMELLAR_SANITIZE STREQUAL "thread")
    lamellar_find_kokkos(PREFER_SERIAL)
    if(LAMELLAR_KOKKOS_THREADED)
      message(WARNING "The thread sanitizer will report races inside a threaded Kokkos. "
        "On Debian: apt-get install libtrilinos-kokkos-dev, which is serial.")
    endif()
  else()
    if(LAMELLAR_DEB)
      lamellar_find_kokkos(PREFER_SERIAL)  # one that is a package
    else()
      lamellar_find_kokkos()
    endif()
  endif()
  if(NOT LAMELLAR_KOKKOS_FOUND)
    message(FATAL_ERROR "Kokkos was not found. tools/setup_kokkos builds one with threads; "
      "apt-get install libtrilinos-kokkos-dev gives a serial one; "
      "your own is found by Kokkos_ROOT or CMAKE_PREFIX_PATH; -DLAMELLAR_FETCH_KOKKOS=ON downloads one.")
  endif()
endif()
