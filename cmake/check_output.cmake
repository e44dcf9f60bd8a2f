# SPDX-License-Identifier: BSD-3-Clause
# Run by the tests of troupe_example(): PROGRAM, ARGS, OUTPUT.

execute_process(COMMAND "${PROGRAM}" ${ARGS} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${result}\n${output}${errors}")
endif()
if(NOT output MATCHES "${OUTPUT}")
  message(FATAL_ERROR "expected output matching \"${OUTPUT}\", got:\n${output}${errors}")
endif()
