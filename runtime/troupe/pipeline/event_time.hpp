// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <concepts>
#include <type_traits>

namespace troupe::pipeline {

/// Lengths of event time: the time at which things happened, as the events themselves say. Microseconds.
using event_duration = std::chrono::microseconds;

/// A point in event time, since 1970. Nothing here compares it with a clock.
using event_time = std::chrono::time_point<std::chrono::system_clock, event_duration>;

/// Before all events: the watermark of a stream that has said nothing about time.
inline constexpr event_time start_of_time = event_time::min();

/// After all events: the watermark of a stream that has ended.
inline constexpr event_time end_of_time = event_time::max();

/// `t + d` and `t - d` for `d >= 0`, which stay at the ends of time.
constexpr event_time later_by(event_time t, event_duration d) noexcept {
  return t > end_of_time - d ? end_of_time : t + d;
}
constexpr event_time earlier_by(event_time t, event_duration d) noexcept {
  return t < start_of_time + d ? start_of_time : t == end_of_time ? t : t - d;
}

/// The time of an element that has one of its own: a member `time` or `time()`. What takes another way of telling the time
/// uses this if it is not given one.
struct own_time {
  template <class T>
  requires requires(const T& x) {
    { x.time() } -> std::convertible_to<event_time>;
  }
  constexpr event_time operator()(const T& x) const { return x.time(); }

  template <class T>
  requires requires(const T& x) {
    { x.time } -> std::convertible_to<event_time>;
  }
  constexpr event_time operator()(const T& x) const { return x.time; }
};

/// Tells the event time of a `T`.
template <class F, class T>
concept tells_time = std::is_invocable_r_v<event_time, const F&, const T&>;

} // namespace troupe::pipeline
