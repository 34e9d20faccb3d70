# SPDX-License-Identifier: BSD-3-Clause
# lamellar_find_kokkos([PREFER_SERIAL])
#
# Finds a Kokkos from 3.4 to 5.x and gives the target Kokkos::kokkos. In this order:
#   1. the user's own: Kokkos_ROOT, Kokkos_DIR, CMAKE_PREFIX_PATH, or a prefix such as /usr/local;
#   2. the threaded one that tools/setup_kokkos has built into the user's cache folder;
#   3. the distribution's, in /usr (on Debian 12 that one is serial).
# PREFER_SERIAL leaves out the second. Sets LAMELLAR_KOKKOS_FOUND, LAMELLAR_KOKKOS_VERSION, LAMELLAR_KOKKOS_SPACES,
# LAMELLAR_KOKKOS_THREADED and LAMELLAR_KOKKOS_DIR for the caller. Installed as well: lamellarConfig.cmake calls the same function.
function(lamellar_find_kokkos)
  cmake_parse_arguments(arg "PREFER_SERIAL" "" "" ${ARGN})
  # Kokkos configurations insist on it, and warn where it is unset.
  set(CMAKE_CXX_EXTENSIONS OFF)

  # No version in any of the calls: the version file of 3.x refuses to serve as 4, and that of 4.x as 3.
  if(NOT Kokkos_DIR AND NOT DEFINED Kokkos_ROOT AND NOT DEFINED ENV{Kokkos_ROOT})
    set(CMAKE_IGNORE_PREFIX_PATH / /usr)
    find_package(Kokkos QUIET CONFIG)
    unset(CMAKE_IGNORE_PREFIX_PATH)
    if(NOT Kokkos_FOUND AND NOT arg_PREFER_SERIAL)
      set(cache "$ENV{XDG_CACHE_HOME}")
      if(NOT cache)
        set(cache "$ENV{HOME}/.cache")
      endif()
      find_package(Kokkos QUIET CONFIG PATHS "${cache}/lamellar/kokkos" NO_DEFAULT_PATH)
    endif()
  endif()
  if(NOT Kokkos_FOUND)
    find_package(Kokkos QUIET CONFIG)
  endif()
  if(NOT Kokkos_FOUND)
    set(LAMELLAR_KOKKOS_FOUND FALSE PARENT_SCOPE)
    return()
  endif()
  if(Kokkos_VERSION VERSION_LESS 3.4)
    message(FATAL_ERROR "Kokkos ${Kokkos_VERSION} in ${Kokkos_DIR} is too old: 3.4 or newer is needed. "
      "Name another by Kokkos_ROOT, or run tools/setup, which provides one.")
  endif()
  # Debian's target names an include folder that does not exist, which CMake takes as an error.
  if(TARGET trilinos_kokkoscore)
    set_target_properties(Kokkos::kokkos PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${Kokkos_INCLUDE_DIRS}")
  endif()

  string(TOUPPER "${Kokkos_DEVICES}" spaces)
  set(threaded FALSE)
  if(spaces MATCHES "OPENMP|THREADS|HPX")
    set(threaded TRUE)
  endif()
  string(REPLACE ";" ", " spaces "${spaces}")
  if(threaded)
    message(STATUS "Kokkos ${Kokkos_VERSION} (${spaces}): threaded, in ${Kokkos_DIR}")
  else()
    message(STATUS "Kokkos ${Kokkos_VERSION} (${spaces}): serial, loops on a PE run on one thread, in ${Kokkos_DIR}")
  endif()
  set(LAMELLAR_KOKKOS_FOUND TRUE PARENT_SCOPE)
  set(LAMELLAR_KOKKOS_VERSION "${Kokkos_VERSION}" PARENT_SCOPE)
  set(LAMELLAR_KOKKOS_SPACES "${spaces}" PARENT_SCOPE)
  set(LAMELLAR_KOKKOS_THREADED ${threaded} PARENT_SCOPE)
  set(LAMELLAR_KOKKOS_DIR "${Kokkos_DIR}" PARENT_SCOPE)
endfunction()
