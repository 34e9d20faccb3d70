# SPDX-License-Identifier: BSD-3-Clause
# lamellar_add_layer(<name> [SOURCES ...] [HEADERS ...] [DEPENDS ...] [PRIVATE_DEPENDS ...])
#
# One layer of the library: target lamellar_<name>, alias lamellar::<name>, its own include root, so that a
# lower layer cannot include an upper one. Headers and sources are listed by name, without globs.
function(lamellar_add_layer name)
  cmake_parse_arguments(arg "" "" "DEPENDS;PRIVATE_DEPENDS;HEADERS;SOURCES" ${ARGN})
  set(target lamellar_${name})
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE_DEPENDS} $<BUILD_INTERFACE:lamellar_warnings>)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(lamellar::${name} ALIAS ${target})
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
  target_link_libraries(${target} ${scope} ${arg_DEPENDS})
  target_compile_features(${target} ${scope} cxx_std_20)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT lamellarTargets FILE_SET HEADERS)
endfunction()
