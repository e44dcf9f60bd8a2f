# SPDX-License-Identifier: BSD-3-Clause
# How everything here is compiled: the flags target `troupe_options` and the compiler cache.
# Link it PRIVATE through $<BUILD_INTERFACE:troupe_options>, so that users never inherit these flags.

add_library(troupe_options INTERFACE)
target_compile_options(troupe_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${TROUPE_WERROR}>:-Werror>
  # g++ 12 takes `"text" + std::move(string)` for an overlapping copy (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

if(TROUPE_SANITIZE)
  # Without -fno-sanitize-recover a finding of UBSan is printed and the test still passes.
  # CAF's own headers bind a reference to null on an ordinary spawn, hence -fno-sanitize=null.
  set(troupe_sanitize_flags
    -fsanitize=${TROUPE_SANITIZE} -fno-sanitize-recover=all -fno-sanitize=null -fno-omit-frame-pointer)
  target_compile_options(troupe_options INTERFACE ${troupe_sanitize_flags} -O1)
  target_link_options(troupe_options INTERFACE ${troupe_sanitize_flags})
endif()

# -O2 with line numbers for backtraces and profiles; full debug information doubles build time and size.
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
endif()

# The sloppiness is what ccache needs to cache what uses a precompiled header; it takes the included files from the
# compiler's list (CCACHE_DEPEND), which spares a preprocessor's run for each source.
find_program(TROUPE_CCACHE ccache)
mark_as_advanced(TROUPE_CCACHE)
if(TROUPE_CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=1 "${TROUPE_CCACHE}")
endif()

# -- what shortens the build -----------------------------------------------------
option(TROUPE_TOGETHER "Compile sources that instantiate the same templates as one" ON)
mark_as_advanced(TROUPE_TOGETHER)

# Sources of `target` that instantiate the same templates, on which their compilation spends most of its time: compiled as
# one. Their anonymous namespaces are one too, and g++ takes those for a header's.
#
#   troupe_together(<target> <name of the group> <file>...)
function(troupe_together target group)
  if(TROUPE_TOGETHER AND TARGET ${target}) # tests that ThreadSanitizer cannot judge are not there with it
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${group})
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# Sources that run once, and that the optimizer spends long on: command lines.
#
#   troupe_run_once(<file>...)
function(troupe_run_once)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:RelWithDebInfo>:-O1>")
endfunction()
