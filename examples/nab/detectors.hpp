// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/anomaly_detector.hpp>

#include "series.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace nab {

inline constexpr std::string_view detector_names[] = {"ensemble", "windowedGaussian"};

/// A new detector, or null if there is none of that name.
std::unique_ptr<troupe::analytics::anomaly_detector> make_detector(std::string_view name);

/// Feeds a series to a new detector, row by row in the order of the file. *Requires*: a known name.
std::vector<double> detect(std::string_view detector, const series& data);

} // namespace nab
