// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hospital.hpp"
#include "text/program.hpp"
#include "training.hpp"

#include <optional>
#include <string>

namespace patient_monitor {

struct options {
  std::string record;
  std::string model = "examples/patient_monitor/model.json";
  std::string train; ///< File to write a new model to, instead of a run; empty for a run.
  double speed = 1;  ///< Times the record's own pace; 0: as fast as possible.
  double seconds = 20;
  unsigned workers = 0;
  std::string out; ///< File of the report; empty for none.
  bool quiet = false;
  training_options training; ///< Its lead and rate are those of a run too.
  hospital_options hospital;
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

} // namespace patient_monitor
