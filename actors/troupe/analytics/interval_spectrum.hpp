// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

namespace troupe::analytics {

/// The time between two heart beats.
struct beat_interval {
  double end;    ///< Time of the beat that ends it, s.
  double length; ///< s.
};

/// The frequency-domain measures of heart rate variability: powers in s^2 over the bands of the Task Force of the European
/// Society of Cardiology ("Heart rate variability", Circulation 1996) for short recordings, of 5 minutes by convention.
struct frequency_bands {
  double very_low = 0; ///< Up to 0.04 Hz.
  double low = 0;      ///< 0.04 to 0.15 Hz.
  double high = 0;     ///< 0.15 to 0.4 Hz.
  double span = 0;     ///< Seconds from the first beat to the last; a band needs some ten periods: `low` 2 minutes.

  /// 0 if there is no power in the high band.
  double low_to_high() const noexcept { return high > 0 ? low / high : 0; }
};

/// The powers of a series of intervals, in ascending order of time; gaps, where intervals were left out, do no harm.
///
/// The periodogram of Lomb (1976) and Scargle (1982), which takes the intervals at the times of their beats: heart beats are
/// no even samples, and making them so takes power from the high band (Laguna, Moody, Mark, "Power spectral density of
/// unevenly sampled data by least-square analysis", IEEE Trans. Biomed. Eng. 1998). It is scaled to a density that
/// integrates to the variance, and summed over the bands at a quarter of the resolution of the span. The mean is taken off.
/// All 0 for fewer than four intervals, or if they do not vary. Pure. Time: 5 ns for each interval and each of 1.6 * span
/// frequencies: about 1 ms for 5 minutes.
frequency_bands spectrum_of(std::span<const beat_interval> intervals);

} // namespace troupe::analytics
