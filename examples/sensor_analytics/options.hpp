// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "field.hpp"
#include "text/program.hpp"

#include <optional>
#include <string>

namespace sensor_analytics {

struct options {
  std::string data;
  double speed = 6'000; ///< Times the recordings' own pace; 0: as fast as possible.
  double seconds = 20;
  unsigned workers = 0;
  std::string out; ///< File of the report; empty for none.
  bool quiet = false;
  field_options field;
};

/// What a command line comes to: options to run with, or something to print and an exit status.
struct command_line {
  std::optional<options> run;
  std::string output; ///< For standard output.
  std::string error;  ///< For standard error.
  int exit_status = 0;
};

using text::exit_bad_input;

command_line parse_command_line(int argc, const char* const* argv);

} // namespace sensor_analytics
