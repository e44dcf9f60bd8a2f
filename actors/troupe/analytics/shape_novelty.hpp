// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/recent_values.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace troupe::analytics {

/// How unlike all recent ones the latest piece of a stream is.
///
/// A piece is `points` averages of `step` values each, which are a delay embedding of the stream (Takens). Novelty is the
/// Euclidean distance to the third nearest of the pieces that end at one of the last `history` averages and do not
/// overlap the latest one: the third, so that one or two earlier outliers do not make the next one usual. Nearest neighbours in a
/// sliding piece are the idea of KNN-CAD (Burnaev and Ishimtsev, "Conformalized density- and distance-based anomaly
/// detection in time-series data", 2016).
/// Memory: 9 KB. Time: at most `history * points` multiplications a value, mostly a third of that.
/// Threads: owner only.
class shape_novelty {
public:
  static constexpr std::size_t points = 8;
  static constexpr std::size_t step = 6;
  static constexpr std::size_t span = (points - 1) * step + 1; ///< Averages that a piece reaches over.
  static constexpr std::size_t history = 1'000;
  static constexpr std::size_t neighbours = 3;

  /// Learns a value; the novelty of the piece that it ends, or nothing while there are too few pieces.
  std::optional<double> add(double value);

private:
  recent_values<step> latest_;
  std::vector<double> averages_; // oldest first; trimmed to `history + 2 * span` when it is twice that
};

} // namespace troupe::analytics
