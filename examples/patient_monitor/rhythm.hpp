// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/beat_detector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace patient_monitor {

/// What a model is told about the last beats.
inline constexpr std::array<std::string_view, 5> feature_names{
    "mean_rr", ///< Mean interval between beats, s.
    "sdnn",    ///< Standard deviation of the intervals, s.
    "rmssd",   ///< Root of the mean square of the differences of neighbours, s.
    "pnn50",   ///< Share of those differences that exceed 50 ms.
    "shape",   ///< How unlike the usual one the least usual complex is: 1 - correlation, 0 to 2.
};

using features = std::array<double, feature_names.size()>;

/// The last beats of a lead, and what their complexes look like. Pure. Memory: 16 KB at 360 Hz.
class rhythm {
public:
  static constexpr std::size_t intervals = 10; ///< In a window.

  /// `rate`: samples per second.
  explicit rhythm(double rate);

  /// Takes the next sample; one that is not finite counts as the one before.
  void add(double sample);

  /// Takes a beat that was decided with a sample taken already; the features of the window that it ends, or nothing while
  /// there are too few intervals.
  std::optional<features> add(const troupe::analytics::beat& b);

private:
  struct interval {
    double length;   // s
    double unlikely; // of the complex that ends it
  };

  double unlikeness(std::uint64_t peak);

  double rate_;
  std::size_t reach_;           // samples of a complex, to each side
  std::vector<double> samples_; // the last ones, by number
  std::uint64_t taken_ = 0;
  std::vector<double> usual_; // complex: mean 0, square sum 1; empty at first
  int strange_ = 0;           // complexes in a row that are unlike it
  std::optional<std::uint64_t> last_beat_;
  std::deque<interval> window_;
};

} // namespace patient_monitor
