// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/anomaly_detector.hpp>
#include <troupe/analytics/calendar_profile.hpp>
#include <troupe/analytics/peak_filter.hpp>
#include <troupe/analytics/recent_values.hpp>
#include <troupe/analytics/reference_sample.hpp>
#include <troupe/analytics/shape_novelty.hpp>

#include <chrono>
#include <cstddef>

namespace troupe::analytics {

/// Six plain views of a stream, each judged against its own past, and their surprises combined.
///
/// 1. week: the value against the usual one at this hour of the week,
/// 2. day: against the usual one at this quarter of an hour of the day,
/// 3. level: the mean of the last 30 values,
/// 4. spread: the range of the last 30 values,
/// 5. roughness: the mean step between neighbours of the last 60,
/// 6. shape: the novelty of the last 48 values.
///
/// Each view's `reference_sample` turns its number into decades of improbability, whatever its unit; so there is nothing
/// to set per stream. They are combined by the power mean of exponent 1.5: between the plain mean, which is Fisher's way
/// to combine tests (1932) and wants the views to agree, and the maximum, which one noisy view can raise. The result
/// passes a `peak_filter`, so that an incident is one alarm and not one for each value. The score is 1 - 10^-result: at
/// 0.99 the views see, on that average, what comes once in a hundred values. 0.99 is a good threshold to begin with.
///
/// The views and these few constants were chosen with the Numenta Anomaly Benchmark at hand, so its score over that whole
/// corpus (68.5, standard profile) flatters it; chosen on one part of the series and scored on the other, it came to 57.6. A
/// score never depends on later values.
///
/// Scores are 0 for the first 50 values. A view that has nothing to compare with (a new weekday) has no surprise.
/// Memory: about 60 KB once 2,200 values have come. Time: some microseconds a value, most of it for the shape.
class ensemble_detector final : public anomaly_detector {
public:
  double score(const observation& o) override;

private:
  static constexpr std::size_t hold_off = 100;

  calendar_profile week_{std::chrono::weeks{1}, std::chrono::hours{1}};
  calendar_profile day_{std::chrono::days{1}, std::chrono::minutes{15}};
  recent_values<30> values_;
  recent_values<60> steps_;
  shape_novelty shape_;
  reference_sample usual_week_, usual_day_, usual_level_, usual_spread_, usual_roughness_, usual_shape_;
  peak_filter<hold_off> peaks_;
};

} // namespace troupe::analytics
