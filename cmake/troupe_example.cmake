# SPDX-License-Identifier: BSD-3-Clause
# One example program, and a test of the same name that runs it.
#
#   troupe_example(<name> SOURCES <file>... OUTPUT <regex>
#                  [ARGS <argument>...] [LINK <target>...] [TIMEOUT <seconds>])
#
# The test passes if the program ends with status 0 and its standard output matches OUTPUT, where `.` matches
# a line end too. LINK names targets besides troupe. The program is bin/<name> in the build tree.
function(troupe_example name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT;TIMEOUT" "SOURCES;ARGS;LINK")
  if(NOT arg_SOURCES OR NOT arg_OUTPUT OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "troupe_example(${name}): SOURCES or OUTPUT missing, or unknown arguments")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()

  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE troupe::troupe ${arg_LINK} $<BUILD_INTERFACE:troupe_options>)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

  if(TROUPE_BUILD_TESTS)
    # Not PASS_REGULAR_EXPRESSION: with it, ctest ignores the exit status.
    add_test(NAME ${name} COMMAND "${CMAKE_COMMAND}"
      "-DPROGRAM=$<TARGET_FILE:${name}>" "-DARGS=${arg_ARGS}" "-DOUTPUT=${arg_OUTPUT}"
      -P "${PROJECT_SOURCE_DIR}/cmake/check_output.cmake")
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS example)
  endif()
endfunction()
