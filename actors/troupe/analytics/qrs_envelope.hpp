// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/biquad.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::analytics {

/// A measure of an electrocardiogram's lead that is large where a QRS complex is: the mean over 80 ms of the slope's
/// size, of the signal within 8 to 16 Hz. Baseline wander and hum of 50 or 60 Hz are outside.
///
/// It lags behind the signal, by `lag()` samples. Threads: owner only.
class qrs_envelope {
public:
  /// *Requires*: at least 80 samples per second.
  explicit qrs_envelope(double rate);

  double add(double sample) noexcept;

  /// The slope's size at the last sample, in units per 10 ms.
  double slope() const noexcept { return slope_; }

  /// How much later the envelope of a short complex peaks than the complex itself; found by trying.
  static std::uint64_t lag(double rate);

private:
  biquad high_;
  biquad low_;
  std::vector<double> passed_; // the last 10 ms, a ring
  std::vector<double> slopes_; // the last 80 ms, a ring
  std::size_t added_ = 0;
  double sum_ = 0; // of slopes_
  double slope_ = 0;
};

} // namespace troupe::analytics
