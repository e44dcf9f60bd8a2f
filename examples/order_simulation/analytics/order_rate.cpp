// SPDX-License-Identifier: BSD-3-Clause
#include "order_rate.hpp"

namespace order_simulation {

void order_rate::add(std::int64_t interval, std::uint64_t orders) {
  if (scored_ == 0)
    next_ = interval;
  while (next_ < interval)
    score(next_++, 0);
  score(next_++, orders);
}

void order_rate::score(std::int64_t interval, std::uint64_t orders) {
  // The detector does not look at the time.
  const double score = detector_.score({{}, static_cast<double>(orders)});
  if (++scored_ > warm_up && score >= alarm)
    anomalies_.push_back({interval, orders, score});
}

std::vector<rate_anomaly> anomalies_of(const order_counts_by_interval& counts) {
  order_rate rate;
  for (const auto& [interval, orders] : counts)
    rate.add(interval, orders);
  return rate.anomalies();
}

} // namespace order_simulation
