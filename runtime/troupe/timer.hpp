// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/cell.hpp>
#include <troupe/engine/message_handler.hpp>

#include <utility>

namespace troupe {

/// A timer that an actor started with `after` or `every`.
///
/// Weak: destroying it leaves the timer running. The timer ends by itself with the actor's incarnation: no tick of an old
/// incarnation reaches a new one, and a timer keeps no actor alive.
/// Threads: the turn of the actor that started it.
class timer {
public:
  timer() = default;
  explicit timer(detail::actor_timer& t) noexcept : timer_{&t} { t.retain(); }
  timer(timer&& other) noexcept : timer_{std::exchange(other.timer_, nullptr)} {}
  timer& operator=(timer&& other) noexcept {
    timer old{std::move(*this)};
    timer_ = std::exchange(other.timer_, nullptr);
    return *this;
  }
  ~timer() {
    if (timer_ != nullptr)
      timer_->release();
  }

  /// No further tick is delivered, not even one that is due already. Idempotent.
  void cancel() noexcept {
    if (timer_ != nullptr)
      timer_->cancel_in_handler();
  }

  /// False once it has ticked for the last time or was cancelled.
  bool active() const noexcept { return timer_ != nullptr && timer_->active(); }

private:
  detail::actor_timer* timer_ = nullptr;
};

namespace detail {

/// Sends a copy of `M` to the actor itself.
template <class A, class M>
class message_timer final : public actor_timer {
public:
  explicit message_timer(M m) : actor_timer{kind::message}, message_{std::move(m)} {}

private:
  envelope* tick() noexcept override { return make_envelope<M>(handler_of<A, M>, message_); }
  const M message_;
};

} // namespace detail

} // namespace troupe
