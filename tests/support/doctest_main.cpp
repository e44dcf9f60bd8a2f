// SPDX-License-Identifier: BSD-3-Clause
// The main function of every test program, compiled once.
#define DOCTEST_CONFIG_IMPLEMENT
#include "shared_data.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr int exit_skipped = 77; // as ctest is told in cmake/troupe_test.cmake

bool data_is_missing = false;

} // namespace

std::filesystem::path support::shared_data(std::string_view folder) {
  const char* const given = std::getenv("TROUPE_DATA"); // NOLINT(concurrency-mt-unsafe): nobody sets it
  const auto path =
      (given != nullptr ? std::filesystem::path{given} : std::filesystem::path{TROUPE_SOURCE_DIR} / "../shared/data") /
      folder;
  if (std::filesystem::exists(path))
    return path;
  std::printf("skipped: set TROUPE_DATA to the directory above '%s'\n", std::string{folder}.c_str());
  data_is_missing = true;
  return {};
}

int main(int argc, char** argv) {
  doctest::Context context{argc, argv};
  const int status = context.run();
  return status == 0 && data_is_missing ? exit_skipped : status;
}
