# SPDX-License-Identifier: BSD-3-Clause
# Run by the package tests: STEP is install, find_package or pkg_config. The consumer must build against an
# installed tree that was moved after its installation, and must end with status 0 and the line "ok".
# Others: BUILD_DIR, SOURCE_DIR, LIBDIR, COMPILER, GENERATOR, FLAGS (of the sanitizer, if any).

set(work "${BUILD_DIR}/package")
set(prefix "${work}/moved")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(run_service program)
  run("${program}")
  if(NOT output MATCHES "(^|\n)ok\n")
    message(FATAL_ERROR "expected a line \"ok\", got:\n${output}")
  endif()
endfunction()

if(STEP STREQUAL "install")
  file(REMOVE_RECURSE "${work}")
  run("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${work}/first")
  file(RENAME "${work}/first" "${prefix}")
  # A path of this machine in an installed text file would break the package elsewhere.
  file(GLOB_RECURSE installed "${prefix}/*.cmake" "${prefix}/*.pc" "${prefix}/*.hpp")
  foreach(file IN LISTS installed)
    file(READ "${file}" text)
    string(FIND "${text}" "${BUILD_DIR}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file} names the build tree")
    endif()
  endforeach()
elseif(STEP STREQUAL "find_package")
  run("${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${SOURCE_DIR}" -B "${work}/find_package"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DCMAKE_PREFIX_PATH=${prefix}")
  run("${CMAKE_COMMAND}" --build "${work}/find_package")
  run_service("${work}/find_package/service")
elseif(STEP STREQUAL "pkg_config")
  set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
  run(pkg-config --cflags --libs troupe)
  string(STRIP "${output}" output)
  separate_arguments(package_flags UNIX_COMMAND "${FLAGS} ${output}")
  run("${COMPILER}" -std=c++20 "${SOURCE_DIR}/service.cpp" -o "${work}/service" ${package_flags})
  run_service("${work}/service")
else()
  message(FATAL_ERROR "unknown STEP \"${STEP}\"")
endif()
