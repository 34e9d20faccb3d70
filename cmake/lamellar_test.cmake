# SPDX-License-Identifier: BSD-3-Clause
# How tests are declared. A test belongs to the layer whose name its folder bears (tests/substrate, tests/substrate/io:
# substrate), links that layer, and carries it as label. Labels: the layer; local, shmem, sim or unit for what the test runs on;
# compile_fail, docs, fuzz, integration, house; long for what the quick tier leaves out under sanitizers.

# GCC's thread sanitizer cannot map its shadow where the kernel randomises addresses widely.
set(lamellar_test_prefix)
if(LAMELLAR_SANITIZE STREQUAL "thread")
  execute_process(COMMAND setarch -R true RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    set(lamellar_test_prefix setarch -R)
  else()
    message(WARNING "setarch -R is not permitted here: thread-sanitized tests may end with 'unexpected memory mapping'")
  endif()
endif()

# To build the tests of one layer: cmake --build build/dev --target substrate_tests.
foreach(layer lamellae substrate containers algorithms)
  add_custom_target(${layer}_tests)
endforeach()

function(lamellar_test_layer out)
  file(RELATIVE_PATH layer "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REGEX REPLACE "/.*" "" layer "${layer}")
  set(${out} ${layer} PARENT_SCOPE)
endfunction()

# With which seeds, from 1 on, CTest runs a test as a simulated job, and on how many PEs.
if(LAMELLAR_SANITIZE)
  set(seeds 1)
else()
  set(seeds 3)
endif()
set(LAMELLAR_TEST_SEEDS ${seeds} CACHE STRING "Seeds with which each test runs under the lamella sim")
set(lamellar_test_sim_pes 2 4)
option(LAMELLAR_TEST_EVERY_LAYOUT "Test over each lamella with every number of PEs and threads (tools/check --full)" OFF)

# lamellar_add_test(<name> SOURCES ... [LAMELLAE local shmem sim] [PES 1 2 4] [THREADS 1] [LINK ...] [LABELS ...]
#                   [TIMEOUT seconds] [ARGUMENTS ...] [ENVIRONMENT variable=value ...] [NO_MAIN] [NO_ROFI])
#
# One doctest program test_<layer>_<name>, with one CTest test <layer>.<name>.<lamella>.<PEs> per lamella and number of
# PEs (default 1 2 4), and per number of threads: those with more than one bear it too, as in substrate.task.local.2x2.
# Under sim a PE has one thread, and there is one test for each seed: substrate.task.sim.4.seed2.
# What runs on shmem runs on rofi too, where libfabric is there, on two pretended hosts, and not where it says NO_ROFI.
# Without LAMELLAR_TEST_EVERY_LAYOUT, PEs of more threads run on local alone, with four threads at most in all: threads meet in
# what all lamellae share. And rofi has four PEs at most. Where the least of THREADS is more than one, that one always runs.
# Without LAMELLAE it needs no PEs and is the one test <layer>.<name>. Where there are LAMELLAE the program's main is that
# of tests/support/pes.hpp. NO_MAIN: a source has its own. PROGRAM_OF <name> in place of SOURCES: more runs, under this
# name, of the program declared under that one.
function(lamellar_add_test name)
  cmake_parse_arguments(arg "NO_MAIN;NO_ROFI" "TIMEOUT;PROGRAM_OF"
    "SOURCES;LAMELLAE;PES;THREADS;LINK;LABELS;ARGUMENTS;ENVIRONMENT" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR (NOT arg_SOURCES AND NOT arg_PROGRAM_OF))
    message(FATAL_ERROR "lamellar_add_test(${name}): SOURCES is needed; not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  lamellar_test_layer(layer)
  if(arg_PROGRAM_OF)
    set(target test_${layer}_${arg_PROGRAM_OF})
  else()
    set(target test_${layer}_${name})
    add_executable(${target} ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE ${arg_LINK} lamellar_warnings doctest::doctest)
    if(arg_LAMELLAE AND NOT arg_NO_MAIN)
      target_link_libraries(${target} PRIVATE lamellar_test_pes_main)
    elseif(NOT arg_NO_MAIN)
      target_link_libraries(${target} PRIVATE lamellar_test_main)
    endif()
    if(TARGET lamellar::${layer})
      target_link_libraries(${target} PRIVATE lamellar::${layer})
      # Tests of a layer may look at its private headers.
      target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/${layer}/src")
    endif()
    if(TARGET ${layer}_tests)
      add_dependencies(${layer}_tests ${target} lamellar-run)
    endif()
  endif()

  if(NOT arg_THREADS)
    set(arg_THREADS 1)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(LAMELLAR_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 4")
  endif()
  if(NOT arg_PES)
    set(arg_PES 1 2 4)
  endif()
  set(command $<TARGET_FILE:${target}> ${arg_ARGUMENTS})
  if(NOT arg_LAMELLAE)
    set(test ${layer}.${name})
    add_test(NAME ${test} COMMAND ${lamellar_test_prefix} ${command})
    set_tests_properties(${test} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${layer};unit;${arg_LABELS}")
  endif()
  if(sim IN_LIST arg_LAMELLAE)
    list(REMOVE_ITEM arg_LAMELLAE sim)
    foreach(pes IN LISTS lamellar_test_sim_pes)
      foreach(seed RANGE 1 ${LAMELLAR_TEST_SEEDS})
        set(test ${layer}.${name}.sim.${pes}.seed${seed})
        add_test(NAME ${test} COMMAND ${lamellar_test_prefix} ${command})
        set(environment LAMELLAR_LAMELLA=sim LAMELLAR_PES=${pes} LAMELLAR_SIM_SEED=${seed} ${arg_ENVIRONMENT})
        set_tests_properties(${test} PROPERTIES TIMEOUT ${arg_TIMEOUT}
          ENVIRONMENT "${environment}" LABELS "${layer};sim;${arg_LABELS}")
      endforeach()
    endforeach()
  endif()
  if(shmem IN_LIST arg_LAMELLAE AND LAMELLAR_HAS_LIBFABRIC AND NOT arg_NO_ROFI)
    list(APPEND arg_LAMELLAE rofi)
  endif()
  list(GET arg_THREADS 0 least)
  foreach(lamella IN LISTS arg_LAMELLAE)
    foreach(pes IN LISTS arg_PES)
      if(lamella STREQUAL "rofi" AND pes LESS 2)
        continue()  # nobody to reach
      endif()
      foreach(threads IN LISTS arg_THREADS)
        math(EXPR processors "${pes} * ${threads}")
        if(NOT LAMELLAR_TEST_EVERY_LAYOUT)
          if(lamella STREQUAL "rofi" AND processors GREATER 4)
            continue()
          endif()
          if(threads GREATER least AND (processors GREATER 4 OR NOT lamella STREQUAL "local"))
            continue()
          endif()
        endif()
        set(test ${layer}.${name}.${lamella}.${pes})
        if(threads GREATER 1)
          string(APPEND test x${threads})
        endif()
        set(environment LAMELLAR_THREADS=${threads} LAMELLAR_LAMELLA=${lamella} ${arg_ENVIRONMENT})
        if(lamella STREQUAL "local")
          list(APPEND environment LAMELLAR_PES=${pes})
          add_test(NAME ${test} COMMAND ${lamellar_test_prefix} ${command})
        elseif(lamella STREQUAL "shmem")
          add_test(NAME ${test} COMMAND ${lamellar_test_prefix} $<TARGET_FILE:lamellar-run> -n ${pes} ${command})
        elseif(lamella STREQUAL "rofi")
          add_test(NAME ${test} COMMAND ${lamellar_test_prefix} $<TARGET_FILE:lamellar-run> -n ${pes}
            --lamella rofi --hosts 2 ${command})
        else()
          message(FATAL_ERROR "lamellar_add_test(${name}): unknown lamella '${lamella}'; use local, shmem or sim")
        endif()
        set_tests_properties(${test} PROPERTIES TIMEOUT ${arg_TIMEOUT} PROCESSORS ${processors}
          ENVIRONMENT "${environment}" LABELS "${layer};${lamella};${arg_LABELS}")
      endforeach()
    endforeach()
  endforeach()
endfunction()

# lamellar_add_misuse_test(<name>_misuse)
#
# What a job says when a part of a layer is misused: <name>_misuse_program.cpp, which fails, seen from outside by
# <name>_misuse_test.py, with tests/support/misuse.py. One CTest test <layer>.<name>_misuse.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
function(lamellar_add_misuse_test name)
  lamellar_test_layer(layer)
  set(target test_${layer}_${name}_program)
  add_executable(${target} ${name}_program.cpp)
  target_link_libraries(${target} PRIVATE lamellar::${layer} lamellar_warnings)
  add_dependencies(${layer}_tests ${target})
  add_test(NAME ${layer}.${name} COMMAND ${lamellar_test_prefix} $<TARGET_FILE:Python3::Interpreter>
    "${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.py" $<TARGET_FILE:${target}>)
  set_tests_properties(${layer}.${name} PROPERTIES TIMEOUT 300 PROCESSORS 2 LABELS "${layer};local")
endfunction()

# lamellar_add_compile_fail_test(<name> SOURCE <file> SECTIONS <macro> ... MESSAGE <regular expression> [LINK ...])
#
# The file compiles as it stands. With any one of the section macros defined it does not, and the compiler's output
# matches MESSAGE: what it says to the user is part of the interface.
function(lamellar_add_compile_fail_test name)
  cmake_parse_arguments(arg "" "SOURCE;MESSAGE" "SECTIONS;LINK" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCE OR NOT arg_SECTIONS OR NOT arg_MESSAGE)
    message(FATAL_ERROR "lamellar_add_compile_fail_test(${name}): SOURCE, SECTIONS and MESSAGE are needed")
  endif()
  if(NOT arg_LINK)
    set(arg_LINK lamellar::lamellar)
  endif()
  # Never built: it gives the flags that a user's file would be compiled with.
  set(target compile_fail_${name})
  add_library(${target} OBJECT EXCLUDE_FROM_ALL "${arg_SOURCE}")
  target_link_libraries(${target} PRIVATE ${arg_LINK})
  set(flags "${CMAKE_CURRENT_BINARY_DIR}/${target}.flags")
  set(includes "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
  set(definitions "$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>")
  file(GENERATE OUTPUT "${flags}" CONTENT "-std=c++20
-w
$<TARGET_PROPERTY:${target},COMPILE_OPTIONS>
$<$<BOOL:${includes}>:-I$<JOIN:${includes},\n-I>>
$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},\n-D>>
" TARGET ${target})

  get_filename_component(source "${arg_SOURCE}" ABSOLUTE)
  foreach(section IN ITEMS "" ${arg_SECTIONS})
    set(test compile_fail.${name})
    if(section)
      string(APPEND test .${section})
    endif()
    add_test(NAME ${test} COMMAND ${CMAKE_COMMAND} -D "compiler=${CMAKE_CXX_COMPILER}" -D "flags=${flags}"
      -D "source=${source}" -D "section=${section}" -D "message=${arg_MESSAGE}"
      -P "${PROJECT_SOURCE_DIR}/cmake/lamellar_compile_fail.cmake")
    set_tests_properties(${test} PROPERTIES TIMEOUT 120 LABELS compile_fail)
  endforeach()
endfunction()

# lamellar_add_fuzz_test(<name> SOURCES ... [LINK <library> ...] [OPTIONS <-option> ...] [SECONDS 30] [CORPUS <folder>])
#
# A libFuzzer program, compiled with clang and the address and undefined-behaviour sanitizers apart from the rest of the build.
# The first source has LLVMFuzzerTestOneInput. LAMELLAR_FUZZ_SECONDS overrides SECONDS. Without clang there is no test.
find_program(LAMELLAR_FUZZ_COMPILER NAMES clang++-14 clang++ clang++-15 clang++-16 clang++-19)
set(LAMELLAR_FUZZ_SECONDS "" CACHE STRING "How long each fuzz test runs, in seconds; empty: as the test says")
function(lamellar_add_fuzz_test name)
  cmake_parse_arguments(arg "" "SECONDS;CORPUS" "SOURCES;LINK;OPTIONS" ${ARGN})
  if(NOT LAMELLAR_FUZZ_COMPILER)
    message(STATUS "No clang: fuzz test ${name} is left out (apt-get install clang-14 libclang-rt-14-dev)")
    return()
  endif()
  if(LAMELLAR_SANITIZE)
    return()  # it brings its own
  endif()
  if(LAMELLAR_FUZZ_SECONDS)
    set(arg_SECONDS ${LAMELLAR_FUZZ_SECONDS})
  elseif(NOT arg_SECONDS)
    set(arg_SECONDS 30)
  endif()
  # The last line: clang 14 takes no coroutines with that sanitizer, and lacks two things beside libstdc++ 12.
  set(flags -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
    -fno-sanitize=function -include "${PROJECT_SOURCE_DIR}/tests/fuzz/clang_14.hpp" -D__cpp_impl_coroutine=201902L)
  foreach(layer lamellae substrate)
    list(APPEND flags "-I${PROJECT_SOURCE_DIR}/${layer}/include" "-I${PROJECT_SOURCE_DIR}/${layer}/src")
  endforeach()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/fuzz")
  set(corpus "${folder}/${name}.corpus")
  file(MAKE_DIRECTORY "${corpus}")
  set(objects)
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(source "${source}" ABSOLUTE)
    get_filename_component(stem "${source}" NAME_WE)
    set(object "${folder}/${name}_${stem}.o")
    add_custom_command(OUTPUT "${object}"
      COMMAND ${LAMELLAR_FUZZ_COMPILER} ${flags} -MD -MF "${object}.d" -c "${source}" -o "${object}"
      DEPENDS "${source}" DEPFILE "${object}.d" COMMENT "Compiling ${stem} for fuzz test ${name}" VERBATIM)
    list(APPEND objects "${object}")
  endforeach()
  set(program "${folder}/${name}")
  list(TRANSFORM arg_LINK PREPEND -l OUTPUT_VARIABLE libraries)
  add_custom_command(OUTPUT "${program}" COMMAND ${LAMELLAR_FUZZ_COMPILER} ${flags} ${objects} ${libraries} -o "${program}"
    DEPENDS ${objects} COMMENT "Linking fuzz test ${name}" VERBATIM)
  add_custom_target(fuzz_${name} ALL DEPENDS "${program}")

  if(arg_CORPUS)
    get_filename_component(arg_CORPUS "${arg_CORPUS}" ABSOLUTE)
  endif()
  math(EXPR timeout "${arg_SECONDS} + 120")
  add_test(NAME fuzz.${name} COMMAND "${program}" -max_total_time=${arg_SECONDS} -seed=1 -print_final_stats=1 ${arg_OPTIONS}
    "-artifact_prefix=${program}." "${corpus}" ${arg_CORPUS})
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT ${timeout} LABELS fuzz)
endfunction()

# What tests of other launchers need: LAMELLAR_TEST_MPIRUN is Open MPI's, or nothing.
find_program(LAMELLAR_MPIRUN NAMES mpirun.openmpi mpirun)
set(LAMELLAR_TEST_MPIRUN)
if(LAMELLAR_MPIRUN)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    ${LAMELLAR_MPIRUN} --version OUTPUT_VARIABLE version ERROR_QUIET)
  if(version MATCHES "Open MPI|OpenRTE")
    set(LAMELLAR_TEST_MPIRUN ${LAMELLAR_MPIRUN})
  endif()
endif()
if(NOT LAMELLAR_TEST_MPIRUN)
  message(STATUS "No mpirun of Open MPI: the tests under it are left out (On Debian: apt-get install openmpi-bin)")
endif()
