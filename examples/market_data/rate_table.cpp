// SPDX-License-Identifier: BSD-3-Clause
#include "rate_table.hpp"

#include <fmt/format.h>

#include <cassert>

namespace market_data {

std::optional<date> parse_date(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00";
  if (text.size() != shape.size())
    return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
      return std::nullopt;
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const std::chrono::year_month_day day{std::chrono::year{two(0) * 100 + two(2)},
                                        std::chrono::month{static_cast<unsigned>(two(5))},
                                        std::chrono::day{static_cast<unsigned>(two(8))}};
  return day.ok() ? std::optional<date>{day} : std::nullopt;
}

std::string to_text(date day) {
  const std::chrono::year_month_day d{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
                     static_cast<unsigned>(d.day()));
}

bool rate_table::add(const std::string& currency, date day, double rate) {
  assert(rate > 0);
  return rates_[currency].emplace(day, rate).second;
}

std::optional<dated_rate> rate_table::as_of(std::string_view currency, date day, std::chrono::days age_most) const {
  if (currency == base_)
    return dated_rate{day, 1};
  const auto& days = days_of(currency);
  const auto after = days.upper_bound(day);
  if (after == days.begin())
    return std::nullopt;
  const auto& [found, rate] = *std::prev(after);
  return day - found <= age_most ? std::optional{dated_rate{found, rate}} : std::nullopt;
}

std::optional<dated_rate> rate_table::cross(std::string_view from, std::string_view to, date day,
                                            std::chrono::days age_most) const {
  const date oldest = day - age_most;
  while (day >= oldest) {
    const auto left = as_of(from, day, day - oldest);
    const auto right = as_of(to, day, day - oldest);
    if (!left || !right)
      return std::nullopt;
    if (left->day == right->day)
      return dated_rate{left->day, right->rate / left->rate};
    day = std::min(left->day, right->day);
  }
  return std::nullopt;
}

const std::map<date, double>& rate_table::days_of(std::string_view currency) const {
  static const std::map<date, double> none;
  const auto found = rates_.find(currency);
  return found == rates_.end() ? none : found->second;
}

std::vector<std::string> rate_table::currencies() const {
  std::vector<std::string> names;
  for (const auto& [name, days] : rates_)
    names.push_back(name);
  return names;
}

} // namespace market_data
