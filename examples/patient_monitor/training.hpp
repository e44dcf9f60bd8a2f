// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ecg/record.hpp"
#include "model_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace patient_monitor {

/// Which of these beats came too early, by their intervals alone: those whose interval is shorter than 0.88 times the median
/// of the fifteen around it. *Requires*: ascending samples.
///
/// This rule looks at what comes after a beat, which a monitor cannot do, and is no expert: it cannot tell a premature beat
/// from an irregular rhythm, and does not see one that comes hardly early.
std::vector<std::uint64_t> premature_beats(const std::vector<std::uint64_t>& beats);

/// Those of `beats` that have one of `others` within 150 ms, the tolerance of AAMI EC57; both ascending.
std::vector<std::uint64_t> confirmed_by(const std::vector<std::uint64_t>& beats,
                                        const std::vector<std::uint64_t>& others, double rate);

/// Reads `sample,symbol` lines, ascending, with the symbols of the MIT-BIH databases, and gives the beats that are neither
/// normal (N, L, R, e, j, /, f) nor no beats at all. A `text::input_error` names the line at fault.
std::vector<std::uint64_t> read_annotations(const std::string& path);

struct training_options {
  std::string lead{};        ///< That the model is for; empty for the first.
  std::string annotations{}; ///< File of labels; empty for those of the rule, confirmed by the record's other leads.
  double rate = 360;
  double share = 0.6; ///< Of the record, from its start, to train with.
  double threshold = 0.5;
};

/// Trains a model with the windows at the start of a record, and tries it on those of the rest: neither has a beat in
/// common with the other. Deterministic.
/// Errors: a `text::input_error` if the record's start or its rest has no premature beat.
model_file train_model(const std::string& record_path, const training_options& options);

} // namespace patient_monitor
