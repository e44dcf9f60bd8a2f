// SPDX-License-Identifier: BSD-3-Clause
#include "bedside.hpp"

#include <utility>

namespace patient_monitor {

namespace {

constexpr double between_spectra = 60; // s

} // namespace

const char* name_of(alert_kind kind) {
  switch (kind) {
    case alert_kind::irregular: return "irregular";
    case alert_kind::fast: return "fast";
    case alert_kind::slow: return "slow";
    case alert_kind::pause: return "pause";
  }
  return "";
}

bedside::bedside(double rate, std::shared_ptr<const rhythm_model> model)
    : rate_{rate}, model_{std::move(model)}, detector_{rate}, rhythm_{rate} {}

std::span<const finding> bedside::add(double sample) {
  found_.clear();
  rhythm_.add(sample);
  ++taken_;
  for (const auto& b : detector_.add(sample))
    take(b);
  // Without any beat so far it is the detector that has to learn, for up to 5 s.
  const auto pause = static_cast<std::uint64_t>(pause_least * rate_);
  if (!recent_.empty() && taken_ - 1 - recent_.back() >= pause)
    raise_on_rise(pausing_, true, {recent_.back() + pause, taken_ - 1, pause_least, alert_kind::pause});
  if (taken_ % static_cast<std::uint64_t>(between_spectra * rate_) == 0 &&
      static_cast<double>(taken_) >= spectrum_span * rate_)
    spectrum_ = variability_.spectrum();
  return found_;
}

void bedside::take(const troupe::analytics::beat& b) {
  ++beats_;
  variability_.add(static_cast<double>(b.sample) / rate_);
  pausing_ = false;
  recent_.push_back(b.sample);
  if (recent_.size() > rated + 1)
    recent_.pop_front();
  if (const double rate = heart_rate(); rate > 0) {
    raise_on_rise(fast_, rate > rate_most, {b.sample, taken_ - 1, rate, alert_kind::fast});
    raise_on_rise(slow_, rate < rate_least, {b.sample, taken_ - 1, rate, alert_kind::slow});
  }
  if (const auto window = rhythm_.add(b)) {
    const double score = model_->weights.probability(*window);
    raise_on_rise(irregular_, score >= model_->threshold, {b.sample, taken_ - 1, score, alert_kind::irregular});
  }
}

double bedside::heart_rate() const {
  if (recent_.size() <= rated)
    return 0;
  return 60 * rate_ * static_cast<double>(rated) / static_cast<double>(recent_.back() - recent_.front());
}

void bedside::raise_on_rise(bool& raised, bool above, finding f) {
  if (!std::exchange(raised, above) && above)
    found_.push_back(f);
}

} // namespace patient_monitor
