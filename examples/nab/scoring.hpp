// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace nab {

// The scoring rules of the Numenta Anomaly Benchmark 1.1 (Lavin and Ahmad, "Evaluating Real-time Anomaly Detection
// Algorithms: the Numenta Anomaly Benchmark", ICMLA 2015). Pure: values in, values out.

/// What a detection, a missed window and a false alarm count.
struct profile {
  std::string_view name;
  double true_positive;
  double false_negative;
  double false_positive;
};

inline constexpr profile profiles[] = {
    {"standard", 1.0, 1.0, 0.11},
    {"reward_low_FP_rate", 1.0, 1.0, 0.22},
    {"reward_low_FN_rate", 1.0, 2.0, 0.11},
};

/// Rows of one labelled anomaly, both inclusive.
struct window {
  std::size_t first;
  std::size_t last;
};

/// One series as the scorer sees it. `scores` has one value per row; `windows` are disjoint and ascend.
struct scored_series {
  std::span<const double> scores;
  std::span<const window> windows;
};

/// The rows at the start of a series in which detections count nothing: 15 %, and at most 750.
std::size_t probation(std::size_t rows);

/// What a detection at `row` counts: within a window from `true_positive` at its first row down to almost 0 at its last;
/// outside from 0 just behind a window down to `-false_positive` far from it, or before any.
double detection_value(std::size_t row, std::span<const window> windows, const profile& weights);

/// What each row adds to the score when all rows with a score of at least `threshold` are detections: outside the windows
/// every detection; in a window its best detection, or, if there is none, `-false_negative` at its first row.
std::vector<double> row_values(const scored_series& one, double threshold, const profile& weights);

/// The sum of `row_values`.
double raw_score(const scored_series& one, double threshold, const profile& weights);

/// Rows behind the probation: detected or not, within a window or not.
struct row_counts {
  std::size_t true_positive = 0;
  std::size_t true_negative = 0;
  std::size_t false_positive = 0;
  std::size_t false_negative = 0;
};

row_counts count_rows(const scored_series& one, double threshold);

/// Sums over a corpus, on the scale where no detection at all is 0 and a perfect detector 100.
/// *Requires*: a window in the corpus.
double normalised_score(double raw, std::size_t windows, const profile& weights);

struct optimum {
  double threshold; ///< Infinity if detecting nothing is best.
  double raw;
};

/// The threshold that is best for the whole corpus at once; of equally good ones the highest.
optimum best_threshold(std::span<const scored_series> corpus, const profile& weights);

} // namespace nab
