// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/beat_detector.hpp>
#include <troupe/analytics/heart_rate_variability.hpp>
#include <troupe/analytics/logistic_model.hpp>

#include "rhythm.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace patient_monitor {

/// What an alert is about.
enum class alert_kind : std::uint8_t {
  irregular, ///< The model scores the last beats above its threshold, which it did not at the beat before.
  fast,      ///< The heart rate over the last 8 beats has risen above 120 /min.
  slow,      ///< It has fallen below 40 /min.
  pause,     ///< No beat for 4 s.
};

inline constexpr std::size_t alert_kinds = 4;

const char* name_of(alert_kind kind);

/// Something that people should know about a patient.
struct finding {
  std::uint64_t about;   ///< The sample that it is about: an R peak, or the end of 4 s without one.
  std::uint64_t decided; ///< The sample with which it was known.
  double value;          ///< Score, 1/min, or seconds.
  alert_kind what;
  bool operator==(const finding&) const = default;
};

/// A model and the score from which it speaks.
struct rhythm_model {
  troupe::analytics::logistic_model weights;
  double threshold = 0.5;
};

/// Watches one lead of one patient, sample by sample. The same samples give the same findings, whenever they come. Pure.
/// Memory: some 50 KB at 360 Hz.
class bedside {
public:
  static constexpr double rate_most = 120;     ///< Beats per minute.
  static constexpr double rate_least = 40;     ///< Beats per minute.
  static constexpr double pause_least = 4;     ///< s.
  static constexpr std::size_t rated = 8;      ///< Beats whose rate counts.
  static constexpr double spectrum_span = 120; ///< s of beats for a spectrum; measured once a minute.

  bedside(double rate, std::shared_ptr<const rhythm_model> model);

  /// The findings that are decided with this sample, mostly none; the view is good until the next call.
  std::span<const finding> add(double sample);

  std::uint64_t samples() const noexcept { return taken_; }
  std::uint64_t beats() const noexcept { return beats_; }
  /// Beats per minute over the last ones; 0 while there are too few.
  double heart_rate() const;
  troupe::analytics::heart_rate_variability::measures variability() const { return variability_.read(); }
  /// The last that was measured: over up to 5 minutes; `span` is 0 while there is none.
  const troupe::analytics::frequency_bands& spectrum() const noexcept { return spectrum_; }

private:
  void take(const troupe::analytics::beat& b);
  void raise_on_rise(bool& raised, bool above, finding f);

  double rate_;
  std::shared_ptr<const rhythm_model> model_;
  troupe::analytics::beat_detector detector_;
  troupe::analytics::heart_rate_variability variability_;
  troupe::analytics::frequency_bands spectrum_;
  rhythm rhythm_;
  std::uint64_t taken_ = 0;
  std::uint64_t beats_ = 0;
  std::deque<std::uint64_t> recent_; // R peaks: one more than `rated`
  bool irregular_ = false;           // now, and so with the others
  bool fast_ = false;
  bool slow_ = false;
  bool pausing_ = false;
  std::vector<finding> found_;
};

} // namespace patient_monitor
