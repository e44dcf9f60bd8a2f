// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/stateful.hpp>
#include <troupe/seams.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

/// Steps that go by the clock.

namespace troupe::pipeline::steps {

/// What has not left a `group` yet.
template <class In>
struct group_state {
  void archive(auto& a) requires archivable<std::vector<In>> { a(waiting); }
  std::vector<In> waiting;
  std::optional<time_point> due;
};

/// Elements in groups of `size`, or fewer when the first of them has waited for `within`.
template <class In>
class group : public stateful<restorable<group_state<In>>> {
public:
  static constexpr const char* name = "group";
  template <class>
  using output = std::vector<In>;

  group(std::size_t size, std::optional<std::chrono::nanoseconds> within)
      : group::stateful{std::in_place}, size_{size}, within_{within} {}

  template <class X, class Next>
  void on(X&& x, Next&& next) {
    auto& s = this->state_.change();
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
    if (this->state_.get().due && *this->state_.get().due <= now)
      hand_on(next);
  }

  std::optional<time_point> due() const noexcept { return this->state_.get().due; }

  template <class A>
  void archive(A& a) requires archivable<std::vector<In>> {
    a(this->state_);
    if constexpr (A::reads) {
      auto& s = this->state_.change();
      if (within_ && !s.waiting.empty()) // the clocks of two processes have nothing in common: at once
        s.due = time_point{};
      this->state_.commit();
    }
  }

private:
  template <class Next>
  void hand_on(Next& next) {
    auto& s = this->state_.change();
    s.due.reset();
    if (!s.waiting.empty())
      next(std::exchange(s.waiting, {}));
  }

  std::size_t size_;
  std::optional<std::chrono::nanoseconds> within_;
  time_point now_{};
};

/// What has not left a `throttle` yet, and what may.
template <class In>
struct throttle_state {
  template <class A>
  void archive(A& a) requires archivable<std::deque<In>> {
    a(waiting);
    if constexpr (A::reads) // ... a period from now, at the latest
      renewed = time_point{};
  }
  std::deque<In> waiting;
  std::size_t left = 0;
  time_point renewed = time_point::min();
};

/// At most `count` elements in each `period`; the others wait, at most one batch of them, and no more are taken meanwhile.
template <class In>
class throttle : public stateful<restorable<throttle_state<In>>> {
public:
  static constexpr const char* name = "throttle";
  template <class>
  using output = In;

  throttle(std::size_t count, std::chrono::nanoseconds period)
      : throttle::stateful{std::in_place}, count_{count}, period_{period} {}

  template <class X, class Next>
  void on(X&& x, Next&& next) {
    auto& s = this->state_.change();
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
    for (auto& x : this->state_.change().waiting) // the end does not wait
      next(std::move(x));
    this->state_.change().waiting.clear();
  }

  void begin(time_point now) noexcept { now_ = now; }

  template <class Next>
  void on_time(time_point now, Next&& next) {
    now_ = now;
    auto& s = this->state_.change();
    renew(s);
    while (!s.waiting.empty() && s.left > 0) {
      next(std::move(s.waiting.front()));
      s.waiting.pop_front();
      --s.left;
    }
  }

  std::optional<time_point> due() const {
    return this->state_.get().waiting.empty() ? std::nullopt : std::optional{this->state_.get().renewed + period_};
  }
  bool accepting() const noexcept { return this->state_.get().waiting.empty(); }

private:
  void renew(throttle_state<In>& s) const noexcept {
    if (s.renewed == time_point::min() || now_ - s.renewed >= period_) {
      s.renewed = now_;
      s.left = count_;
    }
  }

  std::size_t count_;
  std::chrono::nanoseconds period_;
  time_point now_{};
};

} // namespace troupe::pipeline::steps
