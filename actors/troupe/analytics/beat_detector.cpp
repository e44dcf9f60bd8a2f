// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/beat_detector.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::analytics {

namespace {

// Seconds.
constexpr double kept = 4;
constexpr double spike_most = 0.01;
constexpr double refractory = 0.2;
constexpr double t_wave = 0.36;
constexpr double first_learning = 2;
constexpr double patience = 3;
constexpr double between_learnings = 1;
constexpr double interval_most = 2;
constexpr double flat_least = 0.5;

constexpr double sample_most = 1e12; // filters do not forget a larger one for seconds, or, if they overflow, ever

constexpr double wander_most = 1; // Hz: slower than a complex by far

constexpr double threshold_share = 0.3125; // of the way from other peaks to beats
constexpr double stands_out = 4;           // times the median of the envelope, to be learnt
constexpr double still_stands_out = 2.5;   // the same, to stay believed
constexpr double step_share = 0.75;        // of a signal's range, beyond which it is a step and no complex

double valid_rate(double rate) {
  if (!(rate >= beat_detector::rate_least && rate <= beat_detector::rate_most))
    throw std::invalid_argument{"beat_detector: rate " + std::to_string(rate) + " is not from 80 to 4000 Hz"};
  return rate;
}

} // namespace

double beat_detector::recent_median::value_or(double none) const noexcept {
  const std::size_t count = std::min(added_, values_.size());
  if (count == 0)
    return none;
  auto sorted = values_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

beat_detector::beat_detector(double rate)
    : rate_{valid_rate(rate)}, despiked_{2 * in_samples(spike_most) + 1}, envelope_{rate},
      lag_{qrs_envelope::lag(rate)}, level_{biquad::high_pass(wander_most, rate)}, signal_(in_samples(kept)),
      heights_(in_samples(kept)), relearn_at_{in_samples(first_learning)} {}

std::span<const beat> beat_detector::add(double sample) {
  decided_.clear();
  take(sample);
  return decided_;
}

void beat_detector::take(double sample) {
  const double x = despiked_.add(continuous(sample));
  const double height = envelope_.add(x);
  signal_[taken_ % signal_.size()] = level_.filter(x);
  heights_[taken_ % heights_.size()] = height;
  ++taken_;
  follow(height, envelope_.slope());
  look_back();
  if (taken_ >= relearn_at_)
    learn();
}

std::span<const beat> beat_detector::finish() {
  decided_.clear();
  for (std::uint64_t end = taken_ + despiked_.lag() + lag_ + in_samples(refractory); taken_ <= end;)
    take(std::numeric_limits<double>::quiet_NaN());
  if (!learnt_)
    learn();
  return decided_;
}

/// The signal without its offset, which is that of the first sample, and without jumps at the end of a gap.
double beat_detector::continuous(double sample) noexcept {
  if (!(std::abs(sample) <= sample_most)) {
    in_gap_ = true;
    return continued_;
  }
  flat_ = sample == last_ ? flat_ + 1 : 0;
  last_ = sample;
  if (flat_ >= in_samples(flat_least)) {
    in_gap_ = true;
    return continued_;
  }
  if (in_gap_)
    offset_ = sample - continued_;
  in_gap_ = false;
  return continued_ = sample - offset_;
}

/// Finds the envelope's peaks: each sample that is larger than all within the refractory time around it.
void beat_detector::follow(double height, double slope) {
  const std::uint64_t now = taken_ - 1;
  const double before = now == 0 ? 0.0 : heights_[(now - 1) % heights_.size()];
  if (open_ ? height > open_->height : height > before)
    open_ = peak{now, height, 0};
  if (!open_)
    return;
  open_->slope = std::max(open_->slope, slope);
  if (now - open_->at >= in_samples(refractory)) {
    const peak complete = *open_;
    open_.reset();
    classify(complete);
  }
}

void beat_detector::classify(const peak& p) {
  const bool is_t_wave = beat_ && p.at - beat_->at < in_samples(t_wave) && p.slope < beat_->slope / 2;
  if (learnt_ && p.height > threshold() && !is_t_wave && !is_step(p)) {
    accept(p);
    return;
  }
  unsure_.push_back(p);
  if (learnt_)
    others_.add(p.height);
}

void beat_detector::accept(const peak& p) {
  if (beat_ && p.at - beat_->at <= in_samples(interval_most))
    intervals_.add(static_cast<double>(p.at - beat_->at));
  beats_.add(p.height);
  if (beats_.value_or(0) < still_stands_out * usual_height()) { // these are no beats but noise
    learnt_ = false;
    beats_.clear();
    intervals_.clear();
    beat_.reset();
    return;
  }
  beat_ = p;
  relearn_at_ = p.at + in_samples(patience);
  std::erase_if(unsure_, [&](const peak& u) { return u.at <= p.at; });
  decided_.push_back(located(p));
}

void beat_detector::look_back() {
  const double usual = intervals_.value_or(0);
  if (usual == 0 || !beat_ || unsure_.empty())
    return;
  const auto wait = static_cast<std::uint64_t>(1.5 * usual) + in_samples(refractory);
  if (taken_ - beat_->at < wait)
    return;
  const auto largest = std::max_element(unsure_.begin(), unsure_.end(), [this](const peak& a, const peak& b) {
    const auto rank = [this](const peak& p) { return p.at - beat_->at < in_samples(t_wave) ? 0.0 : p.height; };
    return rank(a) < rank(b);
  });
  if (largest->height > threshold() / 2 && largest->at - beat_->at >= in_samples(t_wave) && !is_step(*largest))
    accept(peak{*largest});
}

void beat_detector::learn() {
  const std::uint64_t from = taken_ - std::min(taken_, in_samples(patience));
  std::erase_if(unsure_, [from](const peak& u) { return u.at < from; });
  relearn_at_ = taken_ + in_samples(between_learnings);
  const auto largest = std::max_element(unsure_.begin(), unsure_.end(),
                                        [](const peak& a, const peak& b) { return a.height < b.height; });
  if (largest == unsure_.end())
    return;
  if (largest->height < stands_out * usual_height())
    return;
  beats_.clear();
  others_.clear();
  beats_.add(largest->height);
  learnt_ = true;
  const auto again = std::exchange(unsure_, {});
  for (const peak& p : again)
    classify(p);
}

/// The median of the envelope over the last 4 s.
double beat_detector::usual_height() const {
  auto past = heights_;
  past.resize(static_cast<std::size_t>(std::min<std::uint64_t>(taken_, past.size())));
  const auto middle = past.begin() + static_cast<std::ptrdiff_t>(past.size() / 2);
  std::nth_element(past.begin(), middle, past.end());
  return *middle;
}

double beat_detector::threshold() const noexcept {
  const double other = others_.value_or(0);
  return other + threshold_share * (beats_.value_or(0) - other);
}

/// The sample numbers around a peak's place in the signal, as far as they are kept.
std::pair<std::uint64_t, std::uint64_t> beat_detector::around(const peak& p, double before, double after) const {
  const std::uint64_t oldest = taken_ - std::min<std::uint64_t>(taken_, signal_.size());
  const std::uint64_t centre = p.at - std::min(p.at, lag_);
  return {std::max(oldest, centre - std::min(centre, in_samples(before))),
          std::min(taken_ - 1, centre + in_samples(after))};
}

double beat_detector::mean(std::uint64_t first, std::uint64_t last) const {
  double sum = 0;
  for (auto i = first; i <= last; ++i)
    sum += signal_[i % signal_.size()];
  return sum / static_cast<double>(last - first + 1);
}

/// Whether the signal does not come back, as it does after a complex: the lead has moved, or was taken off or put on.
bool beat_detector::is_step(const peak& p) const {
  const auto [first, last] = around(p, 0.16, 0.16);
  if (last - first < 2 * in_samples(0.16)) // cut off by the start or the end: not to be told
    return false;
  const std::uint64_t edge = std::min((last - first) / 4, in_samples(0.06));
  double least = signal_[first % signal_.size()];
  double most = least;
  for (auto i = first; i <= last; ++i) {
    least = std::min(least, signal_[i % signal_.size()]);
    most = std::max(most, signal_[i % signal_.size()]);
  }
  return std::abs(mean(last - edge, last) - mean(first, first + edge)) > step_share * (most - least);
}

/// The R peak: the sample farthest from the mean around it.
beat beat_detector::located(const peak& p) const {
  const auto [first, last] = around(p, 0.2, 0.2);
  const double level = mean(first, last);

  // A mean over 12 ms takes the edge off noise.
  const std::uint64_t blur = in_samples(0.006);
  const auto [left, right] = around(p, 0.1, 0.1);
  beat best{left, taken_ - 1, 0};
  for (auto i = left; i <= right; ++i) {
    const double height = mean(std::max(first, i - std::min(i, blur)), std::min(last, i + blur)) - level;
    if (std::abs(height) > std::abs(best.height)) {
      best.sample = i;
      best.height = height;
    }
  }
  best.sample -= std::min<std::uint64_t>(best.sample, despiked_.lag());
  return best;
}

std::uint64_t beat_detector::in_samples(double seconds) const noexcept {
  return static_cast<std::uint64_t>(std::llround(seconds * rate_));
}

} // namespace troupe::analytics
