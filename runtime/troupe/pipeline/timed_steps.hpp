// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/watermark.hpp>
#include <troupe/seams.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

/// Steps that look at the time, and steps that make watermarks.

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

/// Makes watermarks: for each partition, the latest time less the bound; of these the least.
template <class Time, class Partition>
class event_times {
public:
  static constexpr const char* name = "event_times";
  template <class In>
  using output = In;

  event_times(Time time, Partition partition, std::size_t partitions, time_options options)
      : time_{std::move(time)}, partition_{std::move(partition)}, options_{options},
        state_{state{std::vector<one>(partitions, one{bounded_disorder{options.bound}, {}}), false}} {}

  template <class X, class Next>
  void on(X&& x, Next&& next) {
    auto& p = state_.change().partitions[std::invoke(partition_, std::as_const(x))];
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

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

private:
  struct one {
    bounded_disorder times;
    std::optional<time_point> spoke;
  };
  struct state {
    std::vector<one> partitions;
    bool idle;
  };

  time_point until(const one& p) const { return p.spoke.value_or(*begun_) + *options_.idle_timeout; }
  bool silent(const one& p) const { return options_.idle_timeout && begun_ && until(p) <= now_; }

  Time time_;
  Partition partition_;
  time_options options_;
  restorable<state> state_;
  time_point now_{};
  std::optional<time_point> begun_{};
};

/// As event_times, for one partition without a time-out: what most sources need, and the fastest.
template <class Time>
class one_event_time {
public:
  static constexpr const char* name = "event_times";
  template <class In>
  using output = In;

  one_event_time(Time time, event_duration bound) : time_{std::move(time)}, latest_{bounded_disorder{bound}} {}

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&& next) {
    latest_.change().observe(std::invoke(time_, std::as_const(x)));
    next(std::forward<X>(x));
  }
  event_time progress() const noexcept { return latest_.get().watermark(); }
  bool idle() const noexcept { return false; }

  void commit() { latest_.commit(); }
  void rollback() { latest_.rollback(); }

private:
  Time time_;
  restorable<bounded_disorder> latest_;
};

/// Elements in groups of `size`, or fewer when the first of them has waited for `within`.
template <class In>
class group {
public:
  static constexpr const char* name = "group";
  template <class>
  using output = std::vector<In>;

  group(std::size_t size, std::optional<std::chrono::nanoseconds> within) : size_{size}, within_{within} {}

  template <class X, class Next>
  void on(X&& x, Next&& next) {
    auto& s = state_.change();
    if (s.waiting.empty() && within_)
      s.due = now_ + *within_;
    s.waiting.push_back(std::forward<X>(x));
    if (s.waiting.size() >= size_)
      hand_on(next);
  }

  template <class Next>
  void on_end(Next&& next) {
    hand_on(next);
  }

  void begin(time_point now) noexcept { now_ = now; }

  template <class Next>
  void on_time(time_point now, Next&& next) {
    if (state_.get().due && *state_.get().due <= now)
      hand_on(next);
  }

  std::optional<time_point> due() const noexcept { return state_.get().due; }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

private:
  template <class Next>
  void hand_on(Next& next) {
    auto& s = state_.change();
    s.due.reset();
    if (!s.waiting.empty())
      next(std::exchange(s.waiting, {}));
  }

  struct state {
    std::vector<In> waiting;
    std::optional<time_point> due;
  };

  std::size_t size_;
  std::optional<std::chrono::nanoseconds> within_;
  restorable<state> state_;
  time_point now_{};
};

/// At most `count` elements in each `period`; the others wait, at most one batch of them, and no more are taken meanwhile.
template <class In>
class throttle {
public:
  static constexpr const char* name = "throttle";
  template <class>
  using output = In;

  throttle(std::size_t count, std::chrono::nanoseconds period) : count_{count}, period_{period} {}

  template <class X, class Next>
  void on(X&& x, Next&& next) {
    auto& s = state_.change();
    renew(s);
    if (!s.waiting.empty() || s.left == 0) {
      s.waiting.push_back(std::forward<X>(x));
      return;
    }
    --s.left;
    next(std::forward<X>(x));
  }

  template <class Next>
  void on_end(Next&& next) {
    for (auto& x : state_.change().waiting) // the end does not wait
      next(std::move(x));
    state_.change().waiting.clear();
  }

  void begin(time_point now) noexcept { now_ = now; }

  template <class Next>
  void on_time(time_point now, Next&& next) {
    now_ = now;
    auto& s = state_.change();
    renew(s);
    while (!s.waiting.empty() && s.left > 0) {
      next(std::move(s.waiting.front()));
      s.waiting.pop_front();
      --s.left;
    }
  }

  std::optional<time_point> due() const {
    return state_.get().waiting.empty() ? std::nullopt : std::optional{state_.get().renewed + period_};
  }
  bool accepting() const noexcept { return state_.get().waiting.empty(); }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

private:
  struct state {
    std::deque<In> waiting;
    std::size_t left = 0;
    time_point renewed = time_point::min();
  };

  void renew(state& s) const noexcept {
    if (s.renewed == time_point::min() || now_ - s.renewed >= period_) {
      s.renewed = now_;
      s.left = count_;
    }
  }

  std::size_t count_;
  std::chrono::nanoseconds period_;
  restorable<state> state_;
  time_point now_{};
};

/// The n-th element of the one side with the n-th of the other. The side that is ahead waits: no more is taken from it.
template <class L, class R>
class zip {
public:
  static constexpr const char* name = "zip";
  template <class>
  using output = std::pair<L, R>;

  template <class Next>
  void on(const std::variant<L, R>& x, Next&& next) {
    auto& s = state_.change();
    if (s.ended[1 - x.index()] && (x.index() == 0 ? s.right.empty() : s.left.empty()))
      return; // nothing will ever come for it
    if (const auto* l = std::get_if<0>(&x))
      s.left.push_back(*l);
    else
      s.right.push_back(*std::get_if<1>(&x));
    if (!s.left.empty() && !s.right.empty()) {
      next(std::pair<L, R>{std::move(s.left.front()), std::move(s.right.front())});
      s.left.pop_front();
      s.right.pop_front();
    }
  }

  bool wants(std::size_t side) const noexcept {
    const auto& s = state_.get();
    return s.ended[1 - side] || (side == 0 ? s.left.empty() : s.right.empty());
  }
  void on_input_end(std::size_t side) noexcept { state_.change().ended[side] = true; }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

private:
  struct state {
    std::deque<L> left;
    std::deque<R> right;
    std::array<bool, 2> ended{};
  };
  restorable<state> state_;
};

} // namespace steps

} // namespace troupe::pipeline
