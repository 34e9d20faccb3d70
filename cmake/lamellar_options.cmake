# SPDX-License-Identifier: BSD-3-Clause
# Compiler settings of our own targets; nothing here reaches a user's.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Relative paths and no time stamps in the key, so that all clones and build folders share ccache's results.
find_program(LAMELLAR_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND LAMELLAR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${LAMELLAR_CCACHE})
endif()

# What a package holds does not tell in which folder it was built.
if(LAMELLAR_DEB)
  string(APPEND CMAKE_CXX_FLAGS " -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.")
endif()

if(LAMELLAR_TESTS)
  # Gives the target all_verify_interface_header_sets: each header compiles alone.
  set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
endif()

option(LAMELLAR_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
set(LAMELLAR_SANITIZE "" CACHE STRING "address or thread: build everything with that sanitizer")

add_library(lamellar_warnings INTERFACE)
target_compile_options(lamellar_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # What only one branch of an if constexpr uses must be captured all the same; g++ insists on it.
  target_compile_options(lamellar_warnings INTERFACE -Wno-unused-lambda-capture)
endif()
if(LAMELLAR_WARNINGS_AS_ERRORS)
  target_compile_options(lamellar_warnings INTERFACE -Werror)
endif()

if(LAMELLAR_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=address,undefined)
elseif(LAMELLAR_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -g)
  add_link_options(-fsanitize=thread)
elseif(LAMELLAR_SANITIZE)
  message(FATAL_ERROR "LAMELLAR_SANITIZE=${LAMELLAR_SANITIZE}: use address or thread")
endif()
