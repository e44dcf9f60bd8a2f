// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <sys/wait.h>

namespace support {

/// What came of a program that ran to its end.
struct outcome {
  int status = -1;    ///< Its exit status; -1: a signal ended it.
  std::string output; ///< With what went to standard error.
};

/// Runs a command of the shell; with `exec` before a program, the shell's status is the program's.
inline outcome run_program(const std::string& command) {
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  outcome o;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    o.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  o.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return o;
}

inline bool says(const outcome& o, const std::string& part) { return o.output.find(part) != std::string::npos; }

} // namespace support
