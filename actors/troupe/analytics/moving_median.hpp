// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::analytics {

/// The median of the last `length` samples of a signal: takes away spikes shorter than half of that, keeps edges.
/// The signal comes out late, by `lag()` samples. Threads: owner only.
class moving_median {
public:
  /// *Requires*: `length` odd. The time before the first sample counts as zeros.
  explicit moving_median(std::size_t length) : samples_(length), sorted_(length) {}

  double add(double sample) noexcept {
    samples_[added_++ % samples_.size()] = sample;
    std::copy(samples_.begin(), samples_.end(), sorted_.begin());
    const auto middle = sorted_.begin() + static_cast<std::ptrdiff_t>(lag());
    std::nth_element(sorted_.begin(), middle, sorted_.end());
    return *middle;
  }

  std::size_t lag() const noexcept { return samples_.size() / 2; }

private:
  std::vector<double> samples_; // a ring
  std::vector<double> sorted_;  // room to find the median
  std::uint64_t added_ = 0;
};

} // namespace troupe::analytics
