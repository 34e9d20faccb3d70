# SPDX-License-Identifier: BSD-3-Clause
# Run by the tests that lamellar_add_compile_fail_test declares: compile `source` with the `section` macro defined, and
# expect a failure whose text matches `message`; with no section, expect success.
file(STRINGS "${flags}" arguments)
set(options)
foreach(argument IN LISTS arguments)
  list(APPEND options ${argument})
endforeach()
if(section)
  list(APPEND options -D${section})
endif()
execute_process(COMMAND "${compiler}" ${options} -fsyntax-only "${source}"
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT section)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${source} must compile when no section is asked for:\n${output}")
  endif()
elseif(status EQUAL 0)
  message(FATAL_ERROR "${source} compiles with ${section}, and must not")
elseif(NOT output MATCHES "${message}")
  message(FATAL_ERROR "${source} with ${section}: no message matches '${message}'. The compiler said:\n${output}")
endif()
