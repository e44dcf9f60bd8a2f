// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "rate_table.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace market_data {

/// How one source quotes a currency in the eyes of another.
enum class quoting {
  same,     ///< Units of the currency for one of the base.
  inverted, ///< Units of the base for one of the currency.
  neither,  ///< The median is more than a tenth off both ways.
  unknown,  ///< No month in common.
};

const char* to_text(quoting q);

/// The month that holds `day`, by its first day.
date month_of(date day);

/// The mean over a month of the daily crosses from `from` to `to`, and how many days there were; nothing without any.
struct monthly_mean {
  double rate;
  std::size_t days;
};
std::optional<monthly_mean> mean_of_month(const rate_table& daily, const std::string& from, const std::string& to,
                                          date month);

/// How two sources agree on one currency over the months that both have.
struct agreement {
  std::string currency;
  quoting how = quoting::unknown;
  std::size_t months = 0;
  double median_difference = 0; ///< Relative, without sign, after turning an inverted rate.
  double worst_difference = 0;
  date worst_month{};
};

/// Compares `monthly`, of means over months, with the daily rates of another source, for each currency that both
/// have, by code. A month counts if `daily` has at least `days_least` days of it.
std::vector<agreement> reconcile(const rate_table& monthly, const rate_table& daily, std::size_t days_least = 15);

} // namespace market_data
