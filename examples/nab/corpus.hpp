// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "scoring.hpp"
#include "series.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nab {

struct labelled_series {
  series data;
  std::vector<window> windows;
};

/// The benchmark's folder: `data/<group>/<name>.csv`, one series each, and `labels/combined_windows.json`, which names
/// every series with its windows. In order of name. An `input_error` names the file, line or label at fault.
std::vector<labelled_series> read_corpus(const std::string& folder);

/// The windows of one series, given as pairs of times, as rows: the first row at each time.
/// An `input_error` that begins with `place` if there is no such row, or the windows are not ascending and disjoint.
std::vector<window> rows_of(const std::vector<std::pair<time_point, time_point>>& times, const series& data,
                            const std::string& place);

/// Where `results/<detector>` keeps the scores of a series: `<folder>/<group>/<detector>_<name>.csv`.
std::string results_path(const std::string& folder, std::string_view detector, const std::string& series_name);

/// The thresholds of a detector by profile, from `config/thresholds.json`.
std::map<std::string, double, std::less<>> read_thresholds(const std::string& path, const std::string& detector);

} // namespace nab
