// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace market_data {

using date = std::chrono::sys_days;

/// Reads `YYYY-MM-DD`. Nothing if it is no day of the calendar.
std::optional<date> parse_date(std::string_view text);
std::string to_text(date day);

/// The rate of a currency on a day.
struct dated_rate {
  date day;
  double rate; ///< Units of the currency for one of the table's base.
};

/// What one source says of currencies over time: units of each for one of `base`, by ISO 4217 code.
class rate_table {
public:
  explicit rate_table(std::string base) : base_{std::move(base)} {}

  const std::string& base() const noexcept { return base_; }

  /// *Requires*: `rate` > 0. Days may come in any order; false if the currency has one of that day already.
  bool add(const std::string& currency, date day, double rate);

  /// The last rate on `day` or before it, if there is one and it is no more than `age_most` old: over a week-end one
  /// takes Friday's, but a currency that has ended has no rate.
  std::optional<dated_rate> as_of(std::string_view currency, date day, std::chrono::days age_most) const;

  /// Units of `to` for one of `from`, both as of `day` and then from the same day; the base counts as a currency.
  std::optional<dated_rate> cross(std::string_view from, std::string_view to, date day,
                                  std::chrono::days age_most) const;

  /// The days of a currency, in order; empty for an unknown one.
  const std::map<date, double>& days_of(std::string_view currency) const;

  std::vector<std::string> currencies() const;

private:
  std::string base_;
  std::map<std::string, std::map<date, double>, std::less<>> rates_;
};

} // namespace market_data
