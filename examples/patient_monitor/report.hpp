// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "alert_log.hpp"
#include "patient.hpp"
#include "text/invariants.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace patient_monitor {

/// What is known at the end of a run.
struct audit {
  const recording& source;
  const std::shared_ptr<const rhythm_model>& model;
  const std::vector<std::shared_ptr<chart>>& charts;
  const alert_log::summary& logged;
  double seconds = 0; ///< From the start to the word to stop.
  std::chrono::milliseconds reaching_most{0};
  std::vector<std::uint64_t> failures_of = {}; ///< Each patient, as the system's events say.
  bool log_ended = false;                      ///< In good order.
  bool at_rest = false;
  std::uint64_t unaccounted = 0;
  bool clean_end = false;
};

/// A tenth, the half and nine tenths of the patients have at most so much.
struct spread {
  double tenth = 0;
  double half = 0;
  double nine_tenths = 0;
};

struct delay_figures {
  std::chrono::microseconds p50{0};
  std::chrono::microseconds p99{0};
  std::chrono::microseconds max{0};
  std::chrono::microseconds bound{0}; ///< 0: none.
};

using text::invariant;

struct report {
  std::uint64_t patients = 0;
  double seconds = 0;
  double stream_hours = 0; ///< Of all patients together.
  std::uint64_t beats = 0;
  std::uint64_t batch_beats = 0; ///< Of the beat detector alone over each stream.
  std::uint64_t alerts[alert_kinds] = {};
  delay_figures knowing;      ///< From what an alert is about to the sample that tells: time of the stream.
  delay_figures reaching;     ///< From that sample to the log: real time.
  std::uint64_t failures = 0; ///< Of patients' actors.
  std::uint64_t restarts = 0; ///< Of patients' actors.
  std::uint64_t measured = 0; ///< Patients with a spectrum: two minutes of beats. Of these:
  spread low;                 ///< ms^2
  spread high;                ///< ms^2
  spread low_to_high;
  spread heart_rate; ///< Beats per minute; of all patients, here and below.
  spread sdnn;       ///< ms
  spread rmssd;      ///< ms
  std::vector<invariant> invariants;

  bool holds() const;
};

/// Gives each patient's stream to the detectors once more, at once, and compares.
report make_report(const audit& a);

std::string to_text(const report& r, bool color);
std::string to_json(const report& r);

} // namespace patient_monitor
