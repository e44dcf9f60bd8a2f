// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace order_simulation {

/// How a scenario's sales are cut up and called. Immutable while a run goes on. Threads: any.
struct sales_terms {
  using event_time = troupe::pipeline::event_time;
  using event_duration = troupe::pipeline::event_duration;

  /// Length of the periods by which revenue is summed; 0: calendar months.
  event_duration period{0};
  /// Length of the intervals by which orders are counted, above 0.
  event_duration interval{1};
  /// What counts in the order rate: orders, or lines of them.
  std::string counted = "orders";
  /// Decimals of the amounts: of 2 the smallest unit is a hundredth.
  unsigned decimals = 2;
  /// Whether sellers have dashboards; if not, there is nothing to show or to check of them.
  bool has_sellers = false;
  std::vector<std::string> countries{};
  std::function<std::string(std::uint32_t)> product_name{};

  /// The number of the period that `t` lies in: of a month, 12 times the year and the months before it in the year.
  std::int64_t period_of(event_time t) const;
  /// The number of the interval that `t` lies in, counted from 1970.
  std::int64_t interval_of(event_time t) const;

  /// `2011-11`, or the seconds from the start of period `first` to that of `period`: `20 s`.
  std::string period_name(std::int64_t period, std::int64_t first) const;
  /// `2011-11-17`, or the seconds as above: `1.2 s`.
  std::string interval_name(std::int64_t interval, std::int64_t first) const;
  /// `1,234.50`.
  std::string money(std::int64_t amount) const;
  std::string country(std::uint16_t number) const;
  std::string product(std::uint32_t number) const;
};

/// Digits in groups of three: 1,234,567.
std::string grouped_digits(std::int64_t value);

} // namespace order_simulation
