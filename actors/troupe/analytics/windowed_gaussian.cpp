// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/windowed_gaussian.hpp>

#include <cmath>
#include <numeric>

namespace troupe::analytics {

double windowed_gaussian::score(const observation& o) {
  if (is_gap(o.value))
    return 0;
  // 1.4142, not the root of 2: so the published scores have it.
  const double z = std::abs(o.value - mean_) / deviation_;
  const double result = window_.empty() ? 0.0 : 1.0 - 0.5 * std::erfc(z / 1.4142);
  if (window_.size() < window_size) {
    window_.push_back(o.value);
    update();
    return result;
  }
  waiting_.push_back(o.value);
  if (waiting_.size() == step_size) {
    window_.erase(window_.begin(), window_.begin() + step_size);
    window_.insert(window_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    update();
  }
  return result;
}

void windowed_gaussian::update() {
  const auto count = static_cast<double>(window_.size());
  mean_ = std::accumulate(window_.begin(), window_.end(), 0.0) / count;
  double squares = 0;
  for (const double v : window_)
    squares += (v - mean_) * (v - mean_);
  deviation_ = std::sqrt(squares / count);
  if (deviation_ == 0)
    deviation_ = 1e-6;
}

} // namespace troupe::analytics
