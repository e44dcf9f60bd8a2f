// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/qrs_envelope.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace troupe::analytics {

namespace {

std::size_t length(double seconds, double rate) {
  return static_cast<std::size_t>(std::max(1.0, std::round(seconds * rate)));
}

} // namespace

qrs_envelope::qrs_envelope(double rate)
    : high_{biquad::high_pass(8, rate)}, low_{biquad::low_pass(16, rate)}, passed_(length(0.010, rate)),
      slopes_(length(0.080, rate)) {}

double qrs_envelope::add(double sample) noexcept {
  const double passed = low_.filter(high_.filter(sample));
  double& before = passed_[added_ % passed_.size()];
  slope_ = std::abs(passed - before);
  before = passed;

  double& oldest = slopes_[added_ % slopes_.size()];
  sum_ += slope_ - oldest;
  oldest = slope_;
  ++added_;
  if (added_ % slopes_.size() == 0) // rounding errors must not pile up
    sum_ = std::accumulate(slopes_.begin(), slopes_.end(), 0.0);
  return sum_ / static_cast<double>(slopes_.size());
}

std::uint64_t qrs_envelope::lag(double rate) {
  qrs_envelope tried{rate};
  const double centre = 0.5 * rate;
  const double half_width = 0.04 * rate;
  std::size_t peak = 0;
  double height = 0;
  for (std::size_t i = 0; static_cast<double>(i) < rate; ++i) {
    const double triangle = std::max(0.0, 1.0 - std::abs(static_cast<double>(i) - centre) / half_width);
    if (const double e = tried.add(triangle); e > height) {
      height = e;
      peak = i;
    }
  }
  return static_cast<std::uint64_t>(std::max(0.0, static_cast<double>(peak) - centre));
}

} // namespace troupe::analytics
