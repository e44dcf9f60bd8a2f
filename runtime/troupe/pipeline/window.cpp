// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/window.hpp>

namespace troupe::pipeline {

namespace {

std::optional<std::string> positive(const char* what, event_duration d) {
  if (d.count() > 0)
    return std::nullopt;
  return std::string{what} + " must be above 0, not " + std::to_string(d.count()) + " us";
}

std::optional<std::string> within(const char* what, event_duration offset, event_duration step) {
  if (offset.count() >= 0 && offset <= step)
    return std::nullopt;
  return std::string{what} + " must be 0.." + std::to_string(step.count()) + " us, not " +
         std::to_string(offset.count()) + " us";
}

} // namespace

std::optional<std::string> validate(const tumbling& w) {
  if (auto wrong = positive("tumbling.size", w.size))
    return wrong;
  return within("tumbling.offset", w.offset, w.size);
}

std::optional<std::string> validate(const sliding& w) {
  if (auto wrong = positive("sliding.size", w.size))
    return wrong;
  if (auto wrong = positive("sliding.step", w.step))
    return wrong;
  return within("sliding.offset", w.offset, w.step);
}

std::optional<std::string> validate(const session& w) { return positive("session.gap", w.gap); }

std::optional<std::string> validate(const counted& w) {
  if (w.size >= 1)
    return std::nullopt;
  return std::string{"counted.size must be at least 1"};
}

std::optional<std::string> validate(const window_options& o) {
  if (o.lateness.count() >= 0)
    return std::nullopt;
  return std::string{"window_options.lateness must not be negative"};
}

std::optional<std::string> validate(const live_window_options& o) {
  if (o.every.count() <= 0)
    return std::string{"live_window_options.every must be above 0"};
  if (o.lateness.count() < 0)
    return std::string{"live_window_options.lateness must not be negative"};
  return std::nullopt;
}

} // namespace troupe::pipeline
