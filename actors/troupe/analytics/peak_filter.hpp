// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace troupe::analytics {

/// Lets a value through if it is above the last `N`, and 0 otherwise: one alarm for one incident, at its onset, and a
/// further one only if it gets worse.
/// Threads: owner only.
template <std::size_t N>
class peak_filter {
public:
  /// *Requires*: not NaN.
  double pass(double value) noexcept {
    const std::size_t held = std::min(added_, N);
    const bool above = std::all_of(last_.begin(), last_.begin() + static_cast<std::ptrdiff_t>(held),
                                   [value](double earlier) { return earlier < value; });
    last_[added_++ % N] = value;
    return above ? value : 0.0;
  }

private:
  std::array<double, N> last_{};
  std::size_t added_ = 0;
};

} // namespace troupe::analytics
