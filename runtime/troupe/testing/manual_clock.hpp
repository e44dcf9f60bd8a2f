// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdint>

namespace troupe {

/// A clock that stands still until a test moves it.
///
/// Monotonic time starts at time_point{} and calendar time at 2026-01-01 00:00 UTC; `advance` moves both.
/// Threads: any.
class manual_clock final : public clock {
public:
  static constexpr wall_time_point wall_start = std::chrono::sys_days{std::chrono::January / 1 / 2026};

  time_point now() const noexcept override { return time_point{std::chrono::nanoseconds{now_.load()}}; }

  wall_time_point wall_now() const noexcept override {
    const std::chrono::nanoseconds shown{now_.load() + wall_shift_.load()};
    return wall_start + std::chrono::duration_cast<wall_time_point::duration>(shown);
  }

  /// Moves both clocks. *Requires* `by >= 0`.
  void advance(std::chrono::nanoseconds by) noexcept {
    assert(by >= std::chrono::nanoseconds::zero());
    now_.fetch_add(by.count());
  }

  /// Moves both clocks to the monotonic time `to`; does nothing if that has passed.
  void advance_to(time_point to) noexcept {
    const auto target = to.time_since_epoch().count();
    auto current = now_.load();
    while (current < target && !now_.compare_exchange_weak(current, target)) {
    }
  }

  /// Moves calendar time alone, in either direction, as when somebody sets the computer's clock.
  void shift_wall(std::chrono::nanoseconds by) noexcept { wall_shift_.fetch_add(by.count()); }

private:
  // -- atomic, in nanoseconds --
  std::atomic<std::int64_t> now_{0};
  std::atomic<std::int64_t> wall_shift_{0};
};

} // namespace troupe
