// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/shape_novelty.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe::analytics {

std::optional<double> shape_novelty::add(double value) {
  constexpr std::size_t kept = history + 2 * span;
  if (averages_.size() == 2 * kept)
    averages_.erase(averages_.begin(), averages_.begin() + kept);
  latest_.add(value);
  averages_.push_back(latest_.mean());

  if (averages_.size() < 2 * span + neighbours)
    return std::nullopt;
  const std::size_t end = averages_.size() - 1;
  const std::size_t last = end - span; // where the newest piece that does not overlap ends
  const std::size_t first = last >= span + history ? last - history + 1 : span - 1;

  std::array<double, neighbours> nearest; // squares, ascending
  nearest.fill(std::numeric_limits<double>::infinity());
  for (std::size_t other = first; other <= last; ++other) {
    double square = 0;
    for (std::size_t i = 0; i < points && square < nearest.back(); ++i) {
      const double difference = averages_[end - i * step] - averages_[other - i * step];
      square += difference * difference;
    }
    if (square < nearest.back()) {
      const auto place = std::upper_bound(nearest.begin(), nearest.end(), square);
      std::move_backward(place, nearest.end() - 1, nearest.end());
      *place = square;
    }
  }
  return std::sqrt(nearest.back());
}

} // namespace troupe::analytics
