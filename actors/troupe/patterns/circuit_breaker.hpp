// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace troupe {

/// When a circuit breaker opens, and for how long. The defaults are Akka's.
struct breaker_options {
  unsigned failures_most = 10;             ///< In a row, with the last of which it opens. At least 1.
  std::chrono::milliseconds reset{15'000}; ///< From opening to the trial call. At least 1 ms.
  double factor = 1.0;                     ///< By which `reset` grows with each trial that fails. At least 1.
  std::chrono::milliseconds reset_most{std::chrono::hours{24}}; ///< At least `reset`. Above a century counts as that.
};

/// Whether a service that keeps failing should be called at all: callers fail fast instead of waiting, and the service
/// is left in peace (Nygard, "Release It!", 2007; numbers and states after Akka's CircuitBreaker).
///
/// Closed: calls go through; failures and timeouts in a row are counted, a success sets them to 0. At `failures_most` it
/// opens: calls are refused. After `reset` it is half open: exactly one call goes through; its success closes the breaker,
/// its failure opens it again for `reset * factor`, and so on up to `reset_most`.
///
/// A decision alone: the caller tells the time, makes the call, sees to its timeout, and reports each permitted call once.
/// A result of a call from before the last change of state is ignored. A trial that is never reported holds the breaker
/// half open; give each call a deadline.
/// Threads: owner only.
class circuit_breaker {
public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class state { closed, open, half_open };

  /// The answer to a wish to call.
  struct permit {
    bool allowed;
    std::chrono::nanoseconds wait; ///< If not allowed: until a trial may be; 0 while a trial is under way.
    std::uint64_t ticket;          ///< If allowed: to report the result with.
  };

  explicit circuit_breaker(const breaker_options& options = {}) : options_{options} {
    options_.reset_most = std::min(options.reset_most, century);
    options_.reset = reset_ = std::min(options.reset, century);
    assert(options.failures_most > 0 && options.reset.count() > 0 && options.factor >= 1);
  }

  /// Asks to call at `now`. *Requires*: `now` is not before that of the last call of any member.
  permit try_call(time_point now) noexcept {
    if (state_ == state::open && now >= opened_ + reset_) {
      change_to(state::half_open);
      return {true, {}, generation_};
    }
    switch (state_) {
      case state::closed: return {true, {}, generation_};
      case state::open: return {false, opened_ + reset_ - now, 0};
      case state::half_open: break;
    }
    return {false, {}, 0};
  }

  void succeeded(std::uint64_t ticket) noexcept {
    if (ticket != generation_)
      return;
    failures_ = 0;
    if (state_ == state::half_open) {
      reset_ = options_.reset;
      change_to(state::closed);
    }
  }

  /// A call failed or ran into its timeout.
  void failed(std::uint64_t ticket, time_point now) noexcept {
    if (ticket != generation_)
      return;
    if (state_ == state::half_open) {
      const double grown = static_cast<double>(reset_.count()) * options_.factor;
      const double most = static_cast<double>(options_.reset_most.count());
      reset_ = std::chrono::milliseconds{static_cast<std::int64_t>(std::min(grown, most))};
    } else if (++failures_ < options_.failures_most) {
      return;
    }
    failures_ = 0;
    opened_ = now;
    change_to(state::open);
  }

  /// As of the last call: an open breaker turns half open only when it is asked.
  state now_in() const noexcept { return state_; }

private:
  static constexpr std::chrono::milliseconds century{std::chrono::hours{24} * 36'500}; // a time point holds three

  void change_to(state next) noexcept {
    state_ = next;
    ++generation_;
  }

  breaker_options options_;
  state state_ = state::closed;
  std::uint64_t generation_ = 1; // of the state; 0 is no ticket
  unsigned failures_ = 0;        // in a row, while closed
  time_point opened_{};
  std::chrono::milliseconds reset_; // the next time to wait when open
};

} // namespace troupe
