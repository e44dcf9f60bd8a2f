// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::analytics {

/// How many events there were within the last `window`, in slots of a `Slots`-th of it.
///
/// A count covers between `window` minus one slot and `window`: events go slot by slot. Time is the caller's; an event
/// older than the window is not counted, one within it goes to its slot, however late it comes. Merging is exact for
/// rates of the same window. Memory: 16 bytes for each slot. Threads: owner only.
template <std::size_t Slots = 60>
class sliding_rate {
  static_assert(Slots > 1);

public:
  using time_point = std::chrono::steady_clock::time_point;

  /// *Requires*: `window` >= `Slots` nanoseconds.
  explicit sliding_rate(std::chrono::nanoseconds window) noexcept : slot_{window / static_cast<std::int64_t>(Slots)} {}

  void add(time_point at, std::uint64_t events = 1) noexcept { add_to(number_of(at), events); }

  void merge(const sliding_rate& other) noexcept {
    for (const auto& s : other.slots_)
      if (s.events > 0)
        add_to(s.number, s.events);
  }

  std::uint64_t count(time_point now) const noexcept {
    const auto last = number_of(now);
    std::uint64_t sum = 0;
    for (const auto& s : slots_)
      if (s.number > last - static_cast<std::int64_t>(Slots) && s.number <= last)
        sum += s.events;
    return sum;
  }

  double per_second(time_point now) const noexcept {
    const std::chrono::duration<double> window = slot_ * static_cast<std::int64_t>(Slots);
    return static_cast<double>(count(now)) / window.count();
  }

private:
  struct slot {
    std::int64_t number = INT64_MIN / 2;
    std::uint64_t events = 0;
  };

  std::int64_t number_of(time_point at) const noexcept {
    const auto since = at.time_since_epoch();
    return since / slot_ - (since % slot_ < std::chrono::nanoseconds{0} ? 1 : 0);
  }

  void add_to(std::int64_t number, std::uint64_t events) noexcept {
    constexpr auto count = static_cast<std::int64_t>(Slots);
    slot& s = slots_[static_cast<std::size_t>((number % count + count) % count)];
    if (s.number > number) // older than what has taken its place
      return;
    if (s.number < number)
      s = {number, 0};
    s.events += events;
  }

  std::chrono::nanoseconds slot_;
  std::array<slot, Slots> slots_{};
};

} // namespace troupe::analytics
