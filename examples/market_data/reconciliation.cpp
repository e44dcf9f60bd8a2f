// SPDX-License-Identifier: BSD-3-Clause
#include "reconciliation.hpp"

#include <algorithm>
#include <cmath>

namespace market_data {

namespace {

constexpr double agrees = 0.1; // relative, of medians

struct pair_of_rates {
  date month;
  double monthly;
  double daily;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double difference(double a, double b) { return std::abs(a / b - 1); }

quoting judge(const std::vector<pair_of_rates>& pairs) {
  std::vector<double> straight;
  std::vector<double> turned;
  for (const auto& p : pairs) {
    straight.push_back(difference(p.monthly, p.daily));
    turned.push_back(difference(1 / p.monthly, p.daily));
  }
  const double best = std::min(median(straight), median(turned));
  if (best > agrees)
    return quoting::neither;
  return median(straight) <= median(turned) ? quoting::same : quoting::inverted;
}

} // namespace

const char* to_text(quoting q) {
  switch (q) {
    case quoting::same: return "same";
    case quoting::inverted: return "inverted";
    case quoting::neither: return "neither";
    case quoting::unknown: return "unknown";
  }
  return "";
}

date month_of(date day) {
  const std::chrono::year_month_day d{day};
  return d.year() / d.month() / 1;
}

std::optional<monthly_mean> mean_of_month(const rate_table& daily, const std::string& from, const std::string& to,
                                          date month) {
  const date next = month_of(month + std::chrono::days{32});
  double sum = 0;
  std::size_t days = 0;
  for (date day = month; day < next; day += std::chrono::days{1})
    if (const auto rate = daily.cross(from, to, day, std::chrono::days{0})) {
      sum += rate->rate;
      ++days;
    }
  return days == 0 ? std::nullopt : std::optional{monthly_mean{sum / static_cast<double>(days), days}};
}

std::vector<agreement> reconcile(const rate_table& monthly, const rate_table& daily, std::size_t days_least) {
  std::vector<agreement> result;
  for (const auto& currency : monthly.currencies()) {
    if (currency != daily.base() && daily.days_of(currency).empty())
      continue;
    std::vector<pair_of_rates> pairs;
    for (const auto& [month, rate] : monthly.days_of(currency))
      if (const auto mean = mean_of_month(daily, monthly.base(), currency, month); mean && mean->days >= days_least)
        pairs.push_back({month, rate, mean->rate});
    agreement a;
    a.currency = currency;
    a.months = pairs.size();
    if (!pairs.empty()) {
      a.how = judge(pairs);
      std::vector<double> differences;
      for (const auto& p : pairs) {
        const double d = difference(a.how == quoting::inverted ? 1 / p.monthly : p.monthly, p.daily);
        differences.push_back(d);
        if (d >= a.worst_difference) {
          a.worst_difference = d;
          a.worst_month = p.month;
        }
      }
      a.median_difference = median(differences);
    }
    result.push_back(std::move(a));
  }
  return result;
}

} // namespace market_data
