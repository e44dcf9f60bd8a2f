// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <numbers>

namespace troupe::analytics {

/// A recursive filter of second order, for evenly sampled signals: y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2.
///
/// Coefficients after Bristow-Johnson, "Cookbook formulae for audio equaliser biquad filter coefficients".
/// Threads: owner only.
class biquad {
public:
  /// Butterworth low-pass or high-pass: 12 dB an octave beyond `cutoff`. *Requires*: 0 < `cutoff` < `rate` / 2, both in Hz.
  static biquad low_pass(double cutoff, double rate) { return {cutoff, rate, false}; }
  static biquad high_pass(double cutoff, double rate) { return {cutoff, rate, true}; }

  double filter(double x) noexcept {
    const double y = b0_ * x + s1_;
    s1_ = b1_ * x - a1_ * y + s2_;
    s2_ = b2_ * x - a2_ * y;
    return y;
  }

private:
  biquad(double cutoff, double rate, bool high) {
    const double angle = 2 * std::numbers::pi * cutoff / rate;
    const double alpha = std::sin(angle) / std::numbers::sqrt2;
    const double cosine = std::cos(angle);
    const double a0 = 1 + alpha;
    b1_ = (high ? -(1 + cosine) : 1 - cosine) / a0;
    b0_ = b2_ = std::abs(b1_) / 2;
    a1_ = -2 * cosine / a0;
    a2_ = (1 - alpha) / a0;
  }

  double b0_, b1_, b2_, a1_, a2_;
  double s1_ = 0; // transposed direct form II
  double s2_ = 0;
};

} // namespace troupe::analytics
