// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "bedside.hpp"

#include <string>

namespace patient_monitor {

/// How a model did on windows that it was not trained with.
struct held_out_figures {
  std::uint64_t windows = 0;
  std::uint64_t positive = 0;
  double area_under_curve = 0;
  double accuracy = 0;
  double sensitivity = 0;
  double specificity = 0;
  std::uint64_t premature = 0;    ///< Beats.
  std::uint64_t alerted = 0;      ///< Of these, with an alert while they were in the window.
  std::uint64_t false_alerts = 0; ///< Alerts with no premature beat in the window.
  double hours = 0;
};

/// A trained model and where it comes from.
struct model_file {
  rhythm_model model;
  std::string command; ///< That trained it.
  std::string record;  ///< Name of the file that it was trained with.
  std::string lead;
  std::string labels; ///< Where the labels come from.
  double rate = 0;    ///< Samples per second.
  std::uint64_t trained_windows = 0;
  std::uint64_t trained_positive = 0;
  held_out_figures held_out;
};

/// Errors: a `text::input_error` that names the file and the field.
model_file read_model(const std::string& path);

std::string to_json(const model_file& m);

} // namespace patient_monitor
