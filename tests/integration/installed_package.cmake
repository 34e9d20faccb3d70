# SPDX-License-Identifier: BSD-3-Clause
# Install the build in `build` below the fresh folder `work`, then configure, build and run a user's project against it,
# alone, as PEs of one process, and by the installed launcher.
file(REMOVE_RECURSE "${work}")
set(prefix "${work}/prefix")

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nended with ${status} and said:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_greetings pes)
  foreach(pe RANGE 1 ${pes})
    math(EXPR pe "${pe} - 1")
    if(NOT output MATCHES "hello from PE ${pe} of ${pes}")
      message(FATAL_ERROR "PE ${pe} of ${pes} did not greet. The program said:\n${output}")
    endif()
  endforeach()
endfunction()

run("${CMAKE_COMMAND}" --install "${build}" --prefix "${prefix}")
run("${CMAKE_COMMAND}" -S "${source}" -B "${work}/build" -G "${generator}" "-DCMAKE_CXX_COMPILER=${compiler}"
  "-DCMAKE_BUILD_TYPE=Release" "-DCMAKE_PREFIX_PATH=${prefix}")
run("${CMAKE_COMMAND}" --build "${work}/build")
run("${CMAKE_COMMAND}" -E env --unset=LAMELLAR_PES "${work}/build/hello")
expect_greetings(1)
run("${CMAKE_COMMAND}" -E env LAMELLAR_PES=2 "${work}/build/hello")
expect_greetings(2)
run("${prefix}/bin/lamellar-run" -n 2 "${work}/build/hello")
expect_greetings(2)
if(NOT EXISTS "${prefix}/share/doc/lamellar/LICENSE")
  message(FATAL_ERROR "the licence was not installed in ${prefix}/share/doc/lamellar")
endif()
file(REMOVE_RECURSE "${work}")
