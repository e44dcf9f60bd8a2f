// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/supervision/child_spec.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <vector>

namespace troupe {

/// Counts restarts within a sliding window and says when there are too many.
///
/// The rule is that of Erlang/OTP's supervisor (`add_restart` in supervisor.erl): note the restart, forget those older
/// than `period`; the budget is exceeded if more than `intensity` are left. One exactly `period` old still counts.
/// An attempt to restart that fails is charged like one that succeeds.
///
/// Example: intensity 5, period 5 s: five restarts may come at once; the sixth within 5 s is too many.
///
/// Memory: none before the first restart, then 8 bytes for each of at most `intensity + 1`; none if unlimited. To know
/// whether there are more than `intensity`, the last `intensity + 1` suffice.
/// Threads: owner only.
class restart_budget {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `intensity` 0..10'000 or `unlimited`; 0 = the first restart is too many.
  restart_budget(unsigned intensity, std::chrono::milliseconds period) noexcept
      : intensity_{intensity}, period_{period} {}

  /// Charges a restart at `now` and returns whether the budget is exceeded.
  /// *Requires*: `now` is not before that of the last call.
  [[nodiscard]] bool charge(time_point now) {
    if (intensity_ == unlimited)
      return false;
    const std::size_t room = std::size_t{intensity_} + 1;
    if (times_.size() < room) {
      assert(times_.empty() || times_.back() <= now);
      times_.push_back(now);
      return times_.size() == room && is_open(times_.front(), now);
    }
    times_[oldest_] = now;
    oldest_ = (oldest_ + 1) % room;
    return is_open(times_[oldest_], now);
  }

  /// Restarts within the window that ends at `now`. Not more than `intensity + 1`; 0 if unlimited.
  std::size_t count(time_point now) const noexcept {
    const auto open = std::count_if(times_.begin(), times_.end(), [&](time_point t) { return is_open(t, now); });
    return static_cast<std::size_t>(open);
  }

  /// Forgets all restarts.
  void clear() noexcept {
    times_.clear();
    oldest_ = 0;
  }

private:
  bool is_open(time_point t, time_point now) const noexcept { return t >= now - period_; }

  unsigned intensity_;
  std::chrono::milliseconds period_;
  std::vector<time_point> times_; // a ring once it holds intensity_ + 1
  std::size_t oldest_ = 0;
};

} // namespace troupe
