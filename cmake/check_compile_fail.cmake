# SPDX-License-Identifier: BSD-3-Clause
# Run by the tests of troupe_compile_fail(): COMPILER, INCLUDES, SOURCE, MESSAGE.

list(TRANSFORM INCLUDES PREPEND "-I")
set(command "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDES} "${SOURCE}")

execute_process(COMMAND ${command} RESULT_VARIABLE result ERROR_VARIABLE errors)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must compile without TROUPE_MUST_NOT_COMPILE, but:\n${errors}")
endif()

execute_process(COMMAND ${command} -DTROUPE_MUST_NOT_COMPILE RESULT_VARIABLE result ERROR_VARIABLE errors)
if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles with TROUPE_MUST_NOT_COMPILE")
endif()
if(NOT errors MATCHES "${MESSAGE}")
  message(FATAL_ERROR "${SOURCE} is refused, but no diagnostic matches \"${MESSAGE}\":\n${errors}")
endif()
