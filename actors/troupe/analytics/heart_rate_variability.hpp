// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/interval_spectrum.hpp>

#include <cstddef>
#include <deque>
#include <optional>

namespace troupe::analytics {

/// How much the time between heart beats varies: the measures of the Task Force of the European Society of Cardiology
/// ("Heart rate variability", Circulation 1996), over the last `window` seconds of beats.
///
/// Only intervals between normal beats count. One that is not from 0.3 s to 2 s, or that differs by more than 20 % from the one
/// before (an ectopic beat, a missed one), is left out together with the differences on both sides of it.
/// Memory: 16 bytes for each beat in the window. Threads: owner only.
class heart_rate_variability {
public:
  struct measures {
    std::size_t intervals = 0; ///< Normal ones in the window. The rest is 0 if there are none.
    double heart_rate = 0;     ///< Beats per minute: 60 / mean interval.
    double sdnn = 0;           ///< Standard deviation of the intervals (n - 1), s.
    double rmssd = 0;          ///< Root of the mean square of differences of neighbours, s.
    double pnn50 = 0;          ///< Share of those differences that exceed 50 ms, 0 to 1.
    double left_out = 0;       ///< Share of intervals in the window that are not normal, 0 to 1.
  };

  /// *Requires*: `window` > 0, in seconds; 300 by convention.
  explicit heart_rate_variability(double window = 300) : window_{window} {}

  /// Takes the time of a beat in seconds. *Requires*: later than the beat before.
  void add(double time);

  measures read() const;

  /// The frequency-domain measures; costs far more than `read`.
  frequency_bands spectrum() const;

private:
  struct interval {
    double end;    // time of the beat that ends it
    double length; // s
    bool normal;
  };

  double window_;
  std::optional<double> last_beat_;
  std::deque<interval> intervals_;
};

} // namespace troupe::analytics
