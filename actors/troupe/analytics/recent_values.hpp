// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace troupe::analytics {

/// The last `N` values of a stream, or all of them while there are fewer.
///
/// What is asked of it is computed from the values anew, in O(N): sums carry no rounding errors along.
/// Threads: owner only.
template <std::size_t N>
class recent_values {
public:
  void add(double value) noexcept { values_[added_++ % N] = value; }

  std::size_t size() const noexcept { return std::min(added_, N); }

  /// The value `age` places back; 0 is the newest. *Requires*: `age` < `size()`.
  double operator[](std::size_t age) const noexcept { return values_[(added_ - 1 - age) % N]; }

  /// *Requires*: a value, here and below.
  double mean() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < size(); ++i)
      sum += values_[i] / static_cast<double>(size()); // no overflow
    return sum;
  }

  double range() const noexcept {
    const auto [least, most] =
        std::minmax_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(size()));
    return *most - *least;
  }

private:
  std::array<double, N> values_{};
  std::size_t added_ = 0;
};

} // namespace troupe::analytics
