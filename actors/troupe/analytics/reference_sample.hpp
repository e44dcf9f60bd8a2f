// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

namespace troupe::analytics {

/// Remembers what a measure of a stream usually is, and says how surprising a new value of it is.
///
/// Surprise is in decades: -log10 of the probability that a value as extreme comes by, so 2 means one in a hundred.
/// Within the bulk it is the share of earlier values at least as extreme, as in conformal prediction (Laxhammar and
/// Falkman 2010). Having seen n values, one cannot speak like that of what is rarer than 1/n; beyond the outermost 2 % a
/// generalised Pareto tail is laid through the mean excess, as in peaks over threshold (Siffer et al., "Anomaly
/// detection in streams with extreme value theory", KDD 2017), with a fixed shape of 0.2: heavier than exponential, so
/// that the first outlier does not silence all that follow.
///
/// The values are kept as a merging t-digest (Dunning and Ertl 2019): about 200 groups of neighbours, which are small
/// towards both ends, so that shares are exact where it matters and off by about 1 % in the middle. After each
/// `memory` values all weights are halved, so that a stream may change its ways. Memory: about 5 KB.
/// Threads: owner only.
class reference_sample {
public:
  static constexpr std::size_t memory = 20'000;
  static constexpr std::size_t least = 50; ///< With fewer values nothing surprises.

  /// How surprising a value is for being so large, or so small; at least 0. *Requires*: finite.
  double surprise_above(double value) const;
  double surprise_below(double value) const;

  /// The larger of the two.
  double surprise(double value) const;

  void add(double value);

  /// How many values it stands for: those added, the older ones counting less and less.
  double weight() const noexcept { return weight_; }

private:
  struct group {
    double mean;
    double weight;
  };

  template <class Outward>
  double surprise(double value, Outward outward) const;
  void compress();
  void fade();

  std::vector<group> groups_; // ascending; equal values share one
  std::vector<double> fresh_; // not yet in a group; in order of arrival
  double weight_ = 0;         // of both
};

} // namespace troupe::analytics
