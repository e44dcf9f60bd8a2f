// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>

namespace troupe::analytics {

/// A mean in which values count less with age, at even or uneven steps of time: after `half_life` a value counts half.
///
/// The value seen last is held until the next (Eckner, "Algorithms for unevenly spaced time series", 2012: EMA with the
/// last point), so a burst of readings does not outweigh a long quiet time. Time is in any one unit.
/// Memory: 32 bytes. Threads: owner only. Not to be merged: the means of two partitions overlap in time.
class fading_mean {
public:
  /// *Requires*: `half_life` > 0.
  explicit fading_mean(double half_life) noexcept : half_life_{half_life} {}

  /// Adds a value at a time. The first one is the mean. *Requires*: finite; `time` not before that of the last call.
  void add(double time, double value) noexcept {
    mean_ = empty_ ? value : mean_at(time);
    time_ = time;
    value_ = value;
    empty_ = false;
  }

  /// The mean as of a time not before the last value's; 0 without values.
  double mean_at(double time) const noexcept {
    return empty_ ? 0 : value_ + (mean_ - value_) * std::exp2((time_ - time) / half_life_);
  }

private:
  double half_life_;
  double time_ = 0;  // of the last value
  double value_ = 0; // the last one
  double mean_ = 0;  // at that time
  bool empty_ = true;
};

} // namespace troupe::analytics
