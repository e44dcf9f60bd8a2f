// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "corpus.hpp"
#include "scoring.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nab {

/// One detector over the corpus: `scores[i]` are those of the corpus's i-th series.
struct detector_run {
  std::string name;
  std::vector<std::vector<double>> scores;
};

/// One detector under one profile.
struct corpus_score {
  profile weights;
  double threshold;
  double raw;
  double normalised;
};

/// With `threshold`, or, if that is null, with the best one for the corpus and the profile. *Requires*: a window.
corpus_score score(const std::vector<labelled_series>& corpus, const detector_run& run, const profile& weights,
                   const double* threshold = nullptr);

/// A results file of the benchmark: `timestamp,value,anomaly_score,label` and what each row adds under each of `totals`.
std::string series_results(const labelled_series& one, const std::vector<double>& scores,
                           const std::vector<corpus_score>& totals);

/// A summary file of the benchmark: threshold, score and counts of rows by series, and their totals.
std::string profile_results(const std::vector<labelled_series>& corpus, const detector_run& run,
                            const corpus_score& total);

/// Writes all of it below `folder`, as the benchmark lays out `results/<detector>`: `<group>/<detector>_<name>.csv` and
/// `<detector>_<profile>_scores.csv`. Each file is whole or absent.
void write_results(const std::string& folder, const std::vector<labelled_series>& corpus, const detector_run& run,
                   const std::vector<corpus_score>& totals);

} // namespace nab
