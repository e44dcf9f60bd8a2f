// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/ensemble_detector.hpp>
#include <troupe/analytics/windowed_gaussian.hpp>

#include "stream_plan.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sensor_analytics {

/// What an alert is about.
enum class alert_kind : std::uint8_t {
  level,   ///< The value is far off the mean: the windowed Gaussian says so.
  pattern, ///< The stream does not go on as it used to: the ensemble says so.
  silent,  ///< The device has sent nothing for too long.
  back,    ///< It sends again.
};

inline constexpr std::size_t alert_kinds = 4;

const char* name_of(alert_kind kind);

/// What one reading makes of a stream.
struct finding {
  alert_kind what;
  double score;
};

/// The detectors of one stream. The same readings give the same findings, whenever they come. Pure.
class stream_watch {
public:
  static constexpr double level_least = 0.99999;   ///< Score: some four deviations.
  static constexpr double pattern_least = 0.99999; ///< Score: the views see what comes once in 100,000 readings.

  static constexpr std::uint64_t warm_up = 50; ///< Readings at the start of which nothing is said.

  /// The findings about a reading, mostly none; the view is good until the next call.
  std::span<const finding> add(const nab::observation& o);

private:
  troupe::analytics::windowed_gaussian level_;
  troupe::analytics::ensemble_detector pattern_;
  std::uint64_t readings_ = 0;
  std::vector<finding> found_;
};

/// A finding with its place in the stream.
struct located_finding {
  std::uint64_t number; ///< Of the reading.
  alert_kind what;
  bool operator==(const located_finding&) const = default;
};

/// What a new watch finds in the first `readings` of a stream, without those that were lost (ascending).
std::vector<located_finding> findings_of(const stream_plan& plan, std::uint64_t readings,
                                         std::span<const std::uint64_t> lost = {});

} // namespace sensor_analytics
