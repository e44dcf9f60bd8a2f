// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/anomaly_detector.hpp>

#include <vector>

namespace troupe::analytics {

/// The plain detector to compare others with: how far in the tails of a normal distribution a value is, whose mean and
/// deviation are those of a window of the past.
///
/// This is `windowedGaussian` of the Numenta Anomaly Benchmark 1.1: the window takes up to 6,400 values and then moves on
/// by 100 at a time. Scores begin at 0.5 for a value at the mean. Memory: 52 KB.
class windowed_gaussian final : public anomaly_detector {
public:
  static constexpr std::size_t window_size = 6'400;
  static constexpr std::size_t step_size = 100;

  double score(const observation& o) override;

private:
  void update();

  std::vector<double> window_;
  std::vector<double> waiting_; // for the next step of the window
  double mean_ = 0;
  double deviation_ = 1;
};

} // namespace troupe::analytics
