// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/heart_rate_variability.hpp>

#include <cmath>
#include <vector>

namespace troupe::analytics {

namespace {

constexpr double interval_least = 0.3;
constexpr double interval_most = 2.0;
constexpr double change_most = 0.2; // of the interval before
constexpr double large_difference = 0.05;

} // namespace

void heart_rate_variability::add(double time) {
  if (last_beat_) {
    const double length = time - *last_beat_;
    const bool plausible = length >= interval_least && length <= interval_most;
    const bool alike =
        intervals_.empty() || std::abs(length - intervals_.back().length) <= change_most * intervals_.back().length;
    intervals_.push_back({time, length, plausible && alike});
  }
  last_beat_ = time;
  while (!intervals_.empty() && intervals_.front().end <= time - window_)
    intervals_.pop_front();
}

heart_rate_variability::measures heart_rate_variability::read() const {
  measures m;
  double sum = 0;
  double differences = 0;
  double squares = 0;
  double large = 0;
  for (std::size_t i = 0; i < intervals_.size(); ++i) {
    if (!intervals_[i].normal)
      continue;
    ++m.intervals;
    sum += intervals_[i].length;
    if (i == 0 || !intervals_[i - 1].normal)
      continue;
    const double difference = intervals_[i].length - intervals_[i - 1].length;
    differences += 1;
    squares += difference * difference;
    large += std::abs(difference) > large_difference ? 1 : 0;
  }
  if (!intervals_.empty())
    m.left_out = 1 - static_cast<double>(m.intervals) / static_cast<double>(intervals_.size());
  if (m.intervals == 0)
    return m;
  const auto count = static_cast<double>(m.intervals);
  const double mean = sum / count;
  m.heart_rate = 60 / mean;
  double deviations = 0;
  for (const auto& i : intervals_)
    if (i.normal)
      deviations += (i.length - mean) * (i.length - mean);
  m.sdnn = m.intervals > 1 ? std::sqrt(deviations / (count - 1)) : 0;
  m.rmssd = differences > 0 ? std::sqrt(squares / differences) : 0;
  m.pnn50 = differences > 0 ? large / differences : 0;
  return m;
}

frequency_bands heart_rate_variability::spectrum() const {
  std::vector<beat_interval> normal;
  for (const auto& i : intervals_)
    if (i.normal)
      normal.push_back({i.end, i.length});
  return spectrum_of(normal);
}

} // namespace troupe::analytics
