// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "csv.hpp"

#include <cstdio>
#include <exception>
#include <string>

namespace text {

inline constexpr int exit_broken = 1;
inline constexpr int exit_bad_input = 2;

/// Whether Ctrl-C has asked for an early end with a report, since `end_on_interrupt`.
bool interrupted() noexcept;
void end_on_interrupt();

/// One line on standard error. Returns `status`.
int complain(const std::string& program, int status, const std::string& problem);

/// Whether all of `text` has reached standard output.
bool print(const std::string& text);

/// Prints `report`, and writes `json` to the file `out` unless that is empty. Returns the exit status.
///
/// Errors: as write_output, for `out`.
int hand_over(const std::string& program, const std::string& report, const std::string& json, const std::string& out,
              bool holds);

/// What a program's main does with its command line once that is read: `run(options)` gives the exit status.
template <class Command, class Run>
int run_program(const std::string& program, const Command& command, Run run) {
  const bool printed = print(command.output);
  std::fputs(command.error.c_str(), stderr);
  if (!printed)
    return complain(program, exit_broken, "standard output could not be written");
  if (!command.run)
    return command.exit_status;
  end_on_interrupt();
  try {
    return run(*command.run);
  } catch (const input_error& e) {
    return complain(program, exit_bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(program, exit_broken, e.what());
  }
}

} // namespace text
