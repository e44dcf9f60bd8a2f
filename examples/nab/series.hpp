// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/anomaly_detector.hpp>

#include "text/csv.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nab {

using text::input_error;
using troupe::analytics::observation;

/// Local time of the series; the corpus names no time zone.
using time_point = std::chrono::sys_seconds;

/// One metric over time, in file order. Times may repeat or step back, as they do in the corpus where clocks change.
struct series {
  std::string name; ///< Path below the corpus's `data` folder, as in the labels: `realTweets/Twitter_volume_KO.csv`.
  std::vector<observation> rows;
};

/// Reads `YYYY-MM-DD hh:mm:ss`, with or without a fraction of zeros. Nothing if `text` is no such time.
std::optional<time_point> parse_time(std::string_view text);

/// The form that `parse_time` reads, without a fraction.
std::string to_text(time_point time);

/// Reads a file of two columns, `timestamp,value`, the first line being that header. Further columns are an error.
series read_series(const std::string& path, std::string name);

/// A column of a results file in the corpus's format (`timestamp,value,anomaly_score,label,...`): the scores.
std::vector<double> read_scores(const std::string& path);

} // namespace nab
