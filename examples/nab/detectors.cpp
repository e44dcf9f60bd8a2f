// SPDX-License-Identifier: BSD-3-Clause
#include "detectors.hpp"

#include <troupe/analytics/ensemble_detector.hpp>
#include <troupe/analytics/windowed_gaussian.hpp>

namespace nab {

std::unique_ptr<troupe::analytics::anomaly_detector> make_detector(std::string_view name) {
  if (name == "ensemble")
    return std::make_unique<troupe::analytics::ensemble_detector>();
  if (name == "windowedGaussian")
    return std::make_unique<troupe::analytics::windowed_gaussian>();
  return nullptr;
}

std::vector<double> detect(std::string_view detector, const series& data) {
  const auto one = make_detector(detector);
  std::vector<double> scores;
  scores.reserve(data.rows.size());
  for (const auto& row : data.rows)
    scores.push_back(one->score(row));
  return scores;
}

} // namespace nab
