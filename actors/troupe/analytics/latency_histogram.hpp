// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/log_linear_scale.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::analytics {

/// A histogram of latencies from 1 us to 1 h in fixed memory (about 190 KiB), exact to a thousandth: HdrHistogram's
/// (Gil Tene, http://hdrhistogram.org). Latencies are rounded up to microseconds; one outside the range counts as the
/// nearest one inside.
///
/// Threads: owner only. Give each worker its own and `merge` them at the end.
class latency_histogram {
public:
  static constexpr std::chrono::microseconds least{1};
  static constexpr std::chrono::microseconds most{std::chrono::hours{1}};

  void record(std::chrono::nanoseconds latency) {
    const auto rounded = std::chrono::ceil<std::chrono::microseconds>(latency);
    const auto value = static_cast<std::uint64_t>(std::clamp(rounded, least, most).count());
    ++counts_[scale::index_of(value)];
    ++total_;
    sum_ += static_cast<double>(value);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  /// As `record`, from a sender who waits for each answer before he sends again, though he should every `interval`: a long
  /// answer then hides others, which are added: latency - interval, latency - 2 interval, and so on down to `interval`.
  /// *Requires*: `interval` > 0.
  void record_expected(std::chrono::nanoseconds latency, std::chrono::nanoseconds interval) {
    for (auto left = latency;; left -= interval) {
      record(left);
      if (left < 2 * interval)
        return;
    }
  }

  /// Adds all that `other` has recorded.
  void merge(const latency_histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += other.counts_[i];
    total_ += other.total_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
  }

  std::uint64_t count() const { return total_; }

  /// The smallest and the largest latency recorded, and their mean, exactly; 0 if there is none.
  std::chrono::microseconds min() const { return in_us(total_ == 0 ? 0 : min_); }
  std::chrono::microseconds max() const { return in_us(max_); }
  std::chrono::duration<double, std::micro> mean() const {
    return std::chrono::duration<double, std::micro>{total_ == 0 ? 0 : sum_ / static_cast<double>(total_)};
  }

  /// A latency that at least `quantile` (0 to 1) of the recorded ones do not exceed: the upper end of the bucket that
  /// holds the exact answer, and at most `max()`. 0 if nothing is recorded.
  std::chrono::microseconds value_at(double quantile) const {
    // The factor keeps 0.07 * 100, which is a little above 7 in binary, from asking for the eighth value.
    const double share = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(total_) * (1 - 1e-12);
    const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if ((seen += counts_[i]) >= rank)
        return std::min(in_us(scale::upper_end(i)), max());
    return max();
  }

private:
  using scale = log_linear_scale<10>;

  static std::chrono::microseconds in_us(std::uint64_t count) {
    return std::chrono::microseconds{static_cast<std::int64_t>(count)};
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(scale::buckets(most.count()));
  std::uint64_t total_ = 0;
  double sum_ = 0; // microseconds, here and below
  std::uint64_t min_ = most.count();
  std::uint64_t max_ = 0;
};

} // namespace troupe::analytics
