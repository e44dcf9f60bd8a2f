// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace troupe::analytics {

/// Count, mean, variance, least and largest of a stream, in one pass and without cancellation: Welford (1962); merged as
/// by Chan, Golub and LeVeque (1979). The relative error of the variance stays near rounding even where the mean is
/// 10^8 times the deviation. Merging in any order gives the same up to rounding.
/// Memory: 40 bytes. Threads: owner only.
class moments {
public:
  /// *Requires*: finite.
  void add(double value) noexcept {
    ++count_;
    const double delta = value - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (value - mean_);
    least_ = std::min(least_, value);
    most_ = std::max(most_, value);
  }

  /// As if all values of `other` had been added.
  void merge(const moments& other) noexcept {
    if (other.count_ == 0)
      return;
    const auto mine = static_cast<double>(count_);
    const auto theirs = static_cast<double>(other.count_);
    const double delta = other.mean_ - mean_;
    mean_ += delta * (theirs / (mine + theirs));
    squares_ += other.squares_ + delta * delta * (mine * theirs / (mine + theirs));
    count_ += other.count_;
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
  }

  std::uint64_t count() const noexcept { return count_; }
  double mean() const noexcept { return mean_; } ///< 0 without values.

  /// Of the values as a sample (n - 1); 0 for fewer than two.
  double variance() const noexcept { return count_ < 2 ? 0 : squares_ / static_cast<double>(count_ - 1); }
  double deviation() const noexcept { return std::sqrt(variance()); }

  double least() const noexcept { return least_; } ///< Infinity without values.
  double most() const noexcept { return most_; }   ///< Minus infinity without values.

private:
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0; // of the deviations from the mean
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = -std::numeric_limits<double>::infinity();
};

} // namespace troupe::analytics
