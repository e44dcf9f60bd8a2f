// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/ensemble_detector.hpp>

#include <cmath>

namespace troupe::analytics {

namespace {

/// Sums up what the views have to say of one value.
class verdict {
public:
  void add(double surprise) {
    sum_ += std::pow(surprise, exponent);
    ++views_;
  }

  double decades() const { return std::pow(sum_ / views_, 1 / exponent); }

private:
  static constexpr double exponent = 1.5;

  double sum_ = 0;
  int views_ = 0;
};

double judged(reference_sample& usual, double measure) {
  const double surprise = usual.surprise(measure);
  usual.add(measure);
  return surprise;
}

double judged_above(reference_sample& usual, double measure) {
  const double surprise = usual.surprise_above(measure);
  usual.add(measure);
  return surprise;
}

} // namespace

double ensemble_detector::score(const observation& o) {
  if (is_gap(o.value))
    return 0;
  steps_.add(values_.size() == 0 ? 0.0 : std::abs(o.value - values_[0]));
  values_.add(o.value);
  verdict all;
  all.add(judged(usual_week_, week_.residual(o.time, o.value)));
  all.add(judged(usual_day_, day_.residual(o.time, o.value)));
  all.add(judged(usual_level_, values_.mean()));
  all.add(judged(usual_spread_, values_.range()));
  all.add(judged(usual_roughness_, steps_.mean()));
  all.add(judged_above(usual_shape_, shape_.add(o.value).value_or(0.0)));
  return 1 - std::pow(10.0, -peaks_.pass(all.decades()));
}

} // namespace troupe::analytics
