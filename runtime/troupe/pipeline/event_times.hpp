// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/stateful.hpp>
#include <troupe/pipeline/watermark.hpp>
#include <troupe/seams.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

/// Steps that make watermarks.

namespace troupe::pipeline {

/// How event time advances in a source.
struct time_options {
  /// Events come out of order by at most so much; what comes later than that is late.
  event_duration bound{0};
  /// A partition that has been silent for so long, by the system's clock, does not hold back the others, nor the source the
  /// stages behind it. Nothing: it always does.
  std::optional<std::chrono::nanoseconds> idle_timeout{};
};

/// One partition for all.
struct one_partition {
  template <class T>
  constexpr std::size_t operator()(const T&) const noexcept {
    return 0;
  }
};

namespace steps {

/// How far the partitions of a source are.
struct event_times_state {
  struct partition {
    void archive(auto& a) { a(times); } // the clocks of two processes have nothing in common
    bounded_disorder times;
    std::optional<time_point> spoke; // when it did last
  };

  template <class A>
  void archive(A& a) {
    for (auto& p : partitions)
      a(p);
    a(idle);
  }

  std::vector<partition> partitions;
  bool idle;
};

/// Makes watermarks: for each partition, the latest time less the bound; of these the least.
template <class Time, class Partition>
class event_times : public stateful<restorable<event_times_state>> {
  using one = event_times_state::partition;

public:
  static constexpr const char* name = "event_times";
  template <class In>
  using output = In;

  event_times(Time time, Partition partition, std::size_t partitions, time_options options)
      : event_times::stateful{std::in_place,
                              event_times_state{std::vector<one>(partitions, one{bounded_disorder{options.bound}, {}}),
                                                false}},
        time_{std::move(time)}, partition_{std::move(partition)}, options_{options} {}

  template <class X, class Next>
  void on(X&& x, Next&& next) {
    auto& p = state_.change().partitions.at(std::invoke(partition_, std::as_const(x)));
    p.times.observe(std::invoke(time_, std::as_const(x)));
    p.spoke = now_;
    next(std::forward<X>(x));
  }

  event_time progress() {
    auto& s = state_.change();
    auto least = end_of_time;
    s.idle = options_.idle_timeout.has_value();
    for (const auto& p : s.partitions) {
      if (silent(p))
        continue;
      least = std::min(least, p.times.watermark());
      s.idle = false;
    }
    return least == end_of_time ? start_of_time : least; // none speaks: no news
  }

  bool idle() const noexcept { return state_.get().idle; }

  void begin(time_point now) noexcept {
    now_ = now;
    if (!begun_)
      begun_ = now;
  }

  void on_time(time_point, const auto&) noexcept {}

  std::optional<time_point> due() const {
    if (!options_.idle_timeout || !begun_)
      return std::nullopt;
    std::optional<time_point> first;
    for (const auto& p : state_.get().partitions)
      if (!silent(p) && (!first || until(p) < *first))
        first = until(p);
    return first;
  }

private:
  time_point until(const one& p) const { return p.spoke.value_or(*begun_) + *options_.idle_timeout; }
  bool silent(const one& p) const { return options_.idle_timeout && begun_ && until(p) <= now_; }

  Time time_;
  Partition partition_;
  time_options options_;
  time_point now_{};
  std::optional<time_point> begun_{};
};

/// As event_times, for one partition without a time-out: what most sources need, and the fastest.
template <class Time>
class one_event_time : public stateful<restorable<bounded_disorder>> {
public:
  static constexpr const char* name = "event_times";
  template <class In>
  using output = In;

  one_event_time(Time time, event_duration bound)
      : one_event_time::stateful{std::in_place, bounded_disorder{bound}}, time_{std::move(time)} {}

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&& next) {
    state_.change().observe(std::invoke(time_, std::as_const(x)));
    next(std::forward<X>(x));
  }
  event_time progress() const noexcept { return state_.get().watermark(); }
  bool idle() const noexcept { return false; }

private:
  Time time_;
};

} // namespace steps

} // namespace troupe::pipeline
