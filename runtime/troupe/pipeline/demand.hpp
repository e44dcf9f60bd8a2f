// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

namespace troupe::pipeline {

/// How much a consumer asks of each of its producers at a time, counted in batches. GenStage's protocol: it asks for `max`
/// first, and again, up to `max`, whenever what is still on its way has fallen to `min`.
struct demand_limits {
  std::uint32_t max = 16;
  std::uint32_t min = 8;
};

/// The consumer's side of one link: when to ask, and for how much.
///
/// Demand is said as a sequence number, "send what comes before this", and not as a count. So saying it twice does no harm,
/// and saying it acknowledges what was taken. Pure.
class demand_window {
public:
  demand_window() = default;
  explicit demand_window(demand_limits limits) noexcept : limits_{limits} {}

  /// The first demand.
  std::uint64_t open() noexcept { return asked_ = taken_ + limits_.max; }

  /// One batch more was taken and is done with. Returns the demand to say now, if any.
  std::optional<std::uint64_t> take() noexcept {
    ++taken_;
    if (asked_ - taken_ > limits_.min)
      return std::nullopt;
    return open();
  }

  /// The demand said last.
  std::uint64_t said() const noexcept { return asked_; }
  /// Batches asked for and not taken yet.
  std::uint64_t pending() const noexcept { return asked_ - taken_; }

private:
  demand_limits limits_{};
  std::uint64_t taken_ = 0;
  std::uint64_t asked_ = 0;
};

/// The producer's side of one link: what may be sent. Pure.
class credit {
public:
  /// The consumer wants what comes before `sequence`. Demand never shrinks: one that comes late or twice changes nothing.
  void grant(std::uint64_t sequence) noexcept {
    if (sequence > granted_) // equivalent: what is equal changes nothing
      granted_ = sequence;
  }

  bool available() const noexcept { return sent_ < granted_; }

  /// The sequence number for the next batch. Requires `available()`.
  std::uint64_t spend() noexcept { return sent_++; }

  std::uint64_t sent() const noexcept { return sent_; }

private:
  std::uint64_t granted_ = 0;
  std::uint64_t sent_ = 0;
};

} // namespace troupe::pipeline
