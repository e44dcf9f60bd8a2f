// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::analytics {

/// What a stream usually shows at this time of the day, or of the week, and how far a value is from it.
///
/// The cycle is cut into slots of equal length; each keeps a mean of its values, plain for the first 20 and then
/// fading, so that a new value counts 1/20. Memory: 16 bytes for each slot.
/// Threads: owner only.
class calendar_profile {
public:
  /// *Requires*: `slot` > 0, `cycle` a multiple of it.
  calendar_profile(std::chrono::seconds cycle, std::chrono::seconds slot)
      : cycle_{cycle}, length_{slot}, slots_(static_cast<std::size_t>(cycle / slot)) {}

  /// The value minus what its slot has shown; 0 while that slot has fewer than two values. Then learns the value.
  double residual(std::chrono::sys_seconds time, double value) noexcept {
    const auto since = time.time_since_epoch();
    const auto within = ((since % cycle_) + cycle_) % cycle_; // also before 1970
    kept_slot& s = slots_[static_cast<std::size_t>(within / length_)];
    const double result = s.count >= 2 ? value - s.mean : 0.0;
    s.count = std::min(s.count + 1, fading);
    s.mean += (value - s.mean) / static_cast<double>(s.count);
    return result;
  }

private:
  static constexpr std::uint32_t fading = 20;

  struct kept_slot {
    double mean = 0;
    std::uint32_t count = 0; // up to `fading`
  };

  std::chrono::seconds cycle_;
  std::chrono::seconds length_;
  std::vector<kept_slot> slots_;
};

} // namespace troupe::analytics
