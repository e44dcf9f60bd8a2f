// SPDX-License-Identifier: BSD-3-Clause
#include "rhythm.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace patient_monitor {

namespace {

constexpr double complex_reach = 0.06; // s, to each side of the R peak
constexpr double kept = 1 + std::chrono::duration<double>{troupe::analytics::beat_detector::delay_most}.count(); // s
constexpr double large_difference = 0.05;                                                                        // s
constexpr double likeness_least = 0.8; // of a complex that changes what is usual
constexpr double learning = 1.0 / 16;
constexpr int strange_most = 8; // unlike complexes in a row: then that is how they look now

/// Takes the mean off and brings the sum of squares to 1; all 0 if nothing varies.
void normalise(std::vector<double>& values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double squares = 0;
  for (double& v : values) {
    v -= mean;
    squares += v * v;
  }
  for (double& v : values)
    v = squares > 0 ? v / std::sqrt(squares) : 0;
}

} // namespace

rhythm::rhythm(double rate)
    : rate_{rate}, reach_{static_cast<std::size_t>(complex_reach * rate)},
      samples_(static_cast<std::size_t>(kept * rate)) {}

void rhythm::add(double sample) {
  const double before = taken_ == 0 ? 0 : samples_[(taken_ - 1) % samples_.size()];
  samples_[taken_++ % samples_.size()] = std::isfinite(sample) ? sample : before;
}

/// Of the complex around an R peak, against the usual one, which follows slowly.
double rhythm::unlikeness(std::uint64_t peak) {
  if (peak < reach_) // cut off by the start of the stream: not to be told
    return 0;
  std::vector<double> around;
  const std::uint64_t oldest = taken_ - std::min<std::uint64_t>(taken_, samples_.size());
  const std::uint64_t first = std::max<std::uint64_t>(peak - reach_, oldest);
  for (std::size_t i = 0; i <= 2 * reach_; ++i)
    around.push_back(samples_[std::min(first + i, taken_ - 1) % samples_.size()]);
  normalise(around);
  if (usual_.empty() || strange_ >= strange_most)
    usual_ = around;
  const double likeness = std::inner_product(around.begin(), around.end(), usual_.begin(), 0.0);
  strange_ = likeness >= likeness_least ? 0 : strange_ + 1;
  if (strange_ == 0) {
    for (std::size_t i = 0; i < usual_.size(); ++i)
      usual_[i] += learning * (around[i] - usual_[i]);
    normalise(usual_);
  }
  return 1 - likeness;
}

std::optional<features> rhythm::add(const troupe::analytics::beat& b) {
  const double unlikely = unlikeness(b.sample);
  if (last_beat_)
    window_.push_back({static_cast<double>(b.sample - *last_beat_) / rate_, unlikely});
  last_beat_ = b.sample;
  if (window_.size() > intervals)
    window_.pop_front();
  if (window_.size() < intervals)
    return std::nullopt;

  constexpr auto count = static_cast<double>(intervals);
  double mean = 0;
  double shape = 0;
  for (const auto& i : window_) {
    mean += i.length / count;
    shape = std::max(shape, i.unlikely);
  }
  double deviations = 0;
  double squares = 0;
  double large = 0;
  for (std::size_t i = 0; i < window_.size(); ++i) {
    deviations += (window_[i].length - mean) * (window_[i].length - mean);
    if (i == 0)
      continue;
    const double difference = window_[i].length - window_[i - 1].length;
    squares += difference * difference;
    large += std::abs(difference) > large_difference ? 1 : 0;
  }
  return features{mean, std::sqrt(deviations / (count - 1)), std::sqrt(squares / (count - 1)), large / (count - 1),
                  shape};
}

} // namespace patient_monitor
