// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/supervision/child_spec.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

namespace troupe {

/// The life after which a child starts again at the first delay: `reset_after`, by default (min + max) / 2.
constexpr std::chrono::nanoseconds reset_after(const backoff_options& options) noexcept {
  return options.reset_after.value_or((options.min + options.max) / 2);
}

/// The delay before a restart, the `n`-th that waits since the last reset, counted from 0; `unit` is random in [0, 1).
///
/// `min(max, min * factor^n) * (1 + unit * jitter)`, rounded down to a nanosecond. This is Akka's BackoffSupervisor,
/// except that the result is at most `max`, jitter included, and that the factor, there 2, is an option.
/// *Requires*: valid options.
inline std::chrono::nanoseconds delay(unsigned n, const backoff_options& options, double unit) noexcept {
  assert(unit >= 0.0 && unit < 1.0);
  const auto least = static_cast<double>(options.min.count());
  const auto most = static_cast<double>(options.max.count());
  const double grown = std::min(most, least * std::pow(options.factor, n)); // pow may be infinite
  const double jittered = std::min(most, grown * (1.0 + unit * options.jitter));
  return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(jittered)};
}

/// How often a child has been restarted of late, and hence how long its next restart waits.
///
/// Default options and no jitter: 0, 100 ms, 200 ms, 400 ms, ... 25.6 s, 30 s, 30 s, ... until it has lived for 15 s.
/// The options are passed in by the supervisor, which has them once for many children, and are the same at each call.
/// Threads: owner only.
class backoff {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The child runs since `now`.
  void started(time_point now) noexcept { alive_since_ = now; }

  /// The child has failed, or an attempt to restart it has. Returns how long to wait before the next attempt.
  ///
  /// A life of at least `reset_after` between `started` and this call makes it the first failure again. An attempt that
  /// failed before `started` was called is no life at all.
  std::chrono::nanoseconds failed(time_point now, const backoff_options& options, double unit) noexcept {
    if (alive_since_ && now - *alive_since_ >= reset_after(options))
      restarts_ = 0;
    alive_since_.reset();
    const unsigned n = restarts_;
    if (restarts_ < std::numeric_limits<unsigned>::max()) // equivalent: a test would take four billion restarts
      ++restarts_;
    if (!options.immediate_first)
      return delay(n, options, unit);
    return n == 0 ? std::chrono::nanoseconds{0} : delay(n - 1, options, unit);
  }

  /// Restarts asked for since the last reset.
  unsigned restarts() const noexcept { return restarts_; }

private:
  unsigned restarts_ = 0;
  std::optional<time_point> alive_since_; // empty while the child is down
};

} // namespace troupe
