// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/anomaly_detector.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nab {

/// Input that cannot be used; `what()` is one line that names the file and, where there is one, the line.
class input_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

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

/// Reads a finite number that takes up all of `text`.
std::optional<double> parse_number(std::string_view text);

/// The lines of a file without their ends (LF or CRLF). An `input_error` if it cannot be read or is empty.
std::vector<std::string> read_lines(const std::string& path);

/// Reads a file of two columns, `timestamp,value`, the first line being that header. Further columns are an error.
series read_series(const std::string& path, std::string name);

/// A column of a results file in the corpus's format (`timestamp,value,anomaly_score,label,...`): the scores.
std::vector<double> read_scores(const std::string& path);

} // namespace nab
