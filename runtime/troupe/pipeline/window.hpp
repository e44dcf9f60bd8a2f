// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/event_time.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe::pipeline {

/// A stretch of event time: `start` belongs to it, `end` does not.
struct window {
  event_time start;
  event_time end;

  bool contains(event_time t) const noexcept { return start <= t && t < end; }
  void archive(auto& a) { a(start, end); }
  friend bool operator==(const window&, const window&) = default;
};

/// Windows of one size, each beginning where the last one ends.
struct tumbling {
  event_duration size;      ///< > 0.
  event_duration offset{0}; ///< Of the starts from 1970; 0..size.
};

/// Windows of one size that begin every `step`; an element belongs to all that contain it. Also called hopping.
struct sliding {
  event_duration size; ///< > 0.
  event_duration step; ///< > 0; above `size`, there are gaps, and elements that belong to no window.
  event_duration offset{0};
};

/// Windows that end when a key has been quiet for `gap`: an element that comes `gap` or more after the last one opens a new
/// one. The end of a session is the time of its last element plus `gap`.
struct session {
  event_duration gap; ///< > 0.
};

/// Windows of so many elements of one key, in the order in which they come; event time does not matter.
struct counted {
  std::size_t size; ///< >= 1.
};

/// How long windows wait for what comes late.
struct window_options {
  /// A window is complete when the watermark reaches its end, and says its result. It is kept for so long after that, and each
  /// late element until then makes it say its result again. Later elements are late for good.
  event_duration lateness{0};
};

/// As window_options, for windows that also say by the system's clock what they hold so far, as results with `complete` false:
/// for live tables. Tumbling, sliding and session windows.
struct live_window_options {
  /// A change is said no later than so long after it, all changes of a key meanwhile together. > 0.
  std::chrono::nanoseconds every;
  event_duration lateness{0};
};

/// The result of one window and key.
template <class K, class R>
struct windowed {
  K key;
  pipeline::window window;
  R value;
  /// False: said before the window was complete.
  bool complete = true;

  void archive(auto& a) requires archivable<K> && archivable<R> { a(key, window, value, complete); }

  /// The last moment of the window: what follows can take it for the time of this result.
  event_time time() const noexcept { return window.end - event_duration{1}; }
  friend bool operator==(const windowed&, const windowed&) = default;
};

/// What a window makes of its elements: a value that elements are added to, and that has a result. Session windows, and
/// sliding ones where they are to be fast, need one that merges too. With a member `speaks()`, which is asked after each
/// element and says true, the window says its result early: see `early`.
template <class A, class T>
concept accumulates = std::copyable<A> && requires(A a, const A& c, const T& x) {
  a.add(x);
  c.result();
};

template <class A>
concept merges = requires(A a, const A& other) {
  a.merge(other);
};

template <class A>
using result_of = std::remove_cvref_t<decltype(std::declval<const A&>().result())>;

/// Returns what is wrong with a kind of window or its options, or nothing.
std::optional<std::string> validate(const tumbling& w);
std::optional<std::string> validate(const sliding& w);
std::optional<std::string> validate(const session& w);
std::optional<std::string> validate(const counted& w);
std::optional<std::string> validate(const window_options& o);
std::optional<std::string> validate(const live_window_options& o);

/// The start of the last of the windows `offset + k * step` that begins at or before `t`, with `offset` in 0..`step`; the
/// start of time if that one begins before it.
constexpr event_time window_start(event_time t, event_duration step, event_duration offset) noexcept {
  auto within = t.time_since_epoch() % step;
  if (within.count() < 0)
    within += step;
  within -= offset;
  if (within.count() < 0)
    within += step;
  return t < start_of_time + within ? start_of_time : t - within;
}

} // namespace troupe::pipeline
