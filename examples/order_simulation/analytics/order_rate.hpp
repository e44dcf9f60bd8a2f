// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/windowed_gaussian.hpp>

#include <cstdint>
#include <map>
#include <vector>

namespace order_simulation {

/// An interval in which there were unusually many orders, or few.
struct rate_anomaly {
  std::int64_t interval = 0;
  std::uint64_t orders = 0;
  double score = 0;

  bool operator==(const rate_anomaly&) const = default;
};

/// Orders by interval. Intervals without any may be left out.
using order_counts_by_interval = std::map<std::int64_t, std::uint64_t>;

/// Watches the order rate: scores each interval by the windowed Gaussian, gaps being intervals without orders. The answer
/// depends on the counts alone, not on when they became known.
///
/// Memory: that of the detector, and the anomalies. Threads: owner only.
class order_rate {
public:
  static constexpr double alarm = 0.999;  ///< A score from here on is an anomaly: some three deviations.
  static constexpr unsigned warm_up = 20; ///< Intervals before the first verdict.

  /// The next interval that had orders; ascending.
  void add(std::int64_t interval, std::uint64_t orders);

  /// All intervals before this one are scored; meaningless before the first `add`.
  std::int64_t next() const noexcept { return next_; }
  const std::vector<rate_anomaly>& anomalies() const noexcept { return anomalies_; }

private:
  void score(std::int64_t interval, std::uint64_t orders);

  troupe::analytics::windowed_gaussian detector_;
  std::int64_t next_ = 0;
  std::uint64_t scored_ = 0;
  std::vector<rate_anomaly> anomalies_;
};

/// The anomalies of all these intervals.
std::vector<rate_anomaly> anomalies_of(const order_counts_by_interval& counts);

} // namespace order_simulation
