# SPDX-License-Identifier: BSD-3-Clause
# Functions that register tests. Needs the targets `troupe` and `troupe_options`.

find_package(doctest 2.4.9 REQUIRED)
include(doctest)

# The library without CAF. A linker takes out of an archive what a program uses, so this works for tests of parts that do
# not reach CAF, and no other program links.
add_library(troupe_pure INTERFACE)
target_include_directories(troupe_pure INTERFACE "${PROJECT_SOURCE_DIR}/runtime" "${PROJECT_SOURCE_DIR}/actors")
target_link_libraries(troupe_pure INTERFACE
  $<TARGET_FILE:troupe> ${troupe_fmt} nlohmann_json::nlohmann_json PostgreSQL::PostgreSQL SQLite::SQLite3 Threads::Threads)
add_dependencies(troupe_pure troupe)

# doctest's main and the precompiled header, both shared by all test programs.
add_library(troupe_test_main OBJECT "${PROJECT_SOURCE_DIR}/tests/support/doctest_main.cpp")
target_link_libraries(troupe_test_main PUBLIC doctest::doctest PRIVATE troupe_options)
set_source_files_properties("${PROJECT_SOURCE_DIR}/tests/support/doctest_main.cpp" TARGET_DIRECTORY troupe_test_main
  PROPERTIES COMPILE_DEFINITIONS "TROUPE_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
# Assertions that do not catch what their operands throw: such a test fails by its case, and compiles a tenth faster.
target_compile_definitions(troupe_test_main PUBLIC DOCTEST_CONFIG_SUPER_FAST_ASSERTS)
target_precompile_headers(troupe_test_main PRIVATE
  <doctest/doctest.h>
  <algorithm> <array> <atomic> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <random>
  <set> <sstream> <stdexcept> <string> <string_view> <thread> <tuple> <type_traits> <utility> <variant> <vector>)

# One test program; each doctest case becomes a test of ctest. A case that lacks recorded data (support/shared_data.hpp) shows
# as skipped.
#
#   troupe_test(<name> SOURCES <file>... [PURE] [ONCE] [LABELS <label>...] [TIMEOUT <seconds>] [LINK <target>...])
#
# SOURCES  relative to the calling CMakeLists.txt.
# PURE     links troupe_pure, no CAF. These are the tests that ThreadSanitizer can judge, so the tsan preset always runs
#          them.
# ONCE     one test of ctest for the whole program: for cases that share something that is dear to set up, such as a
#          server. A program that prints SKIPPED shows as skipped.
# LABELS   in addition to the program's own name: `ctest -L mailbox_test`.
# TIMEOUT  per case, in seconds; default 30.
function(troupe_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PURE;ONCE" "TIMEOUT" "SOURCES;LABELS;LINK")
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "troupe_test(${name}): SOURCES missing, or unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(troupe_pure_only AND NOT arg_PURE)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 30)
  endif()
  if(TROUPE_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 4")
  endif()

  add_executable(${name})
  target_link_libraries(${name} PRIVATE troupe_test_main troupe_options Threads::Threads)
  target_precompile_headers(${name} REUSE_FROM troupe_test_main)
  if(arg_PURE)
    target_link_libraries(${name} PRIVATE troupe_pure ${arg_LINK})
  else()
    target_link_libraries(${name} PRIVATE ${arg_LINK} troupe::troupe fmt::fmt)
  endif()
  target_sources(${name} PRIVATE ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  # The tests' own code; the library stays as users get it. Pipelines compile a quarter faster so. Not where what the
  # optimizer makes of the code is part of what is tested.
  if(NOT arg_LABELS MATCHES "stress|model|cost")
    target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
  endif()

  if(arg_ONCE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${name};${arg_LABELS}"
      FAIL_REGULAR_EXPRESSION "test cases: +0" SKIP_REGULAR_EXPRESSION "SKIPPED" SKIP_RETURN_CODE 77)
    return()
  endif()

  # doctest exits with 0 when a filter matches no case; the expression turns that into a failure.
  doctest_discover_tests(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} FAIL_REGULAR_EXPRESSION "test cases: +0"
    SKIP_RETURN_CODE 77)

  # doctest_discover_tests cannot pass a list of labels, and says nothing about a program without cases.
  set(hook "${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake")
  file(WRITE "${hook}"
    "if(${name}_TESTS)\n"
    "  set_tests_properties(\${${name}_TESTS} PROPERTIES LABELS \"${name};${arg_LABELS}\")\n"
    "elseif(EXISTS \"${CMAKE_CURRENT_BINARY_DIR}/${name}\")\n"
    "  add_test(${name}_HAS_NO_CASES ${name}_HAS_NO_CASES)\n"
    "endif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${hook}")
endfunction()

# A source that must compile as it is, and must not once TROUPE_MUST_NOT_COMPILE is defined.
#
#   troupe_compile_fail(<name> SOURCE <file> MESSAGE <regex>)
#
# The forbidden lines stand between `#ifdef TROUPE_MUST_NOT_COMPILE` and `#endif`: that the rest compiles
# proves that they are the reason. MESSAGE must match the compiler's diagnostics.
function(troupe_compile_fail name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE;MESSAGE" "")
  if(NOT arg_SOURCE OR NOT arg_MESSAGE OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "troupe_compile_fail(${name}): SOURCE or MESSAGE missing, or unknown arguments")
  endif()
  if(troupe_pure_only)
    return()
  endif()
  set(includes "$<TARGET_PROPERTY:troupe,INTERFACE_INCLUDE_DIRECTORIES>")
  add_test(NAME ${name} COMMAND "${CMAKE_COMMAND}"
    "-DCOMPILER=${CMAKE_CXX_COMPILER}" "-DINCLUDES=${includes}" "-DMESSAGE=${arg_MESSAGE}"
    "-DSOURCE=${CMAKE_CURRENT_SOURCE_DIR}/${arg_SOURCE}"
    -P "${PROJECT_SOURCE_DIR}/cmake/check_compile_fail.cmake")
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS compile_fail)
endfunction()
