// SPDX-License-Identifier: BSD-3-Clause
#include "series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nab {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

double number_or_fail(const std::string& path, std::size_t line, std::string_view field, std::string_view value) {
  const auto number = text::parse_number(value);
  if (!number)
    text::fail(path, line, fmt::format("{}: '{}' is not a finite number", field, text::shown(value)));
  return *number;
}

} // namespace

std::optional<time_point> parse_time(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00 00:00:00";
  if (const auto point = text.find('.'); point == shape.size()) {
    const auto fraction = text.substr(point + 1);
    if (fraction.empty() || fraction.find_first_not_of('0') != std::string_view::npos)
      return std::nullopt;
    text = text.substr(0, point);
  }
  if (text.size() != shape.size())
    return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '0' ? !is_digit(text[i]) : text[i] != shape[i])
      return std::nullopt;
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const std::chrono::year_month_day date{std::chrono::year{two(0) * 100 + two(2)},
                                         std::chrono::month{static_cast<unsigned>(two(5))},
                                         std::chrono::day{static_cast<unsigned>(two(8))}};
  if (!date.ok() || two(11) > 23 || two(14) > 59 || two(17) > 59)
    return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{two(11)} + std::chrono::minutes{two(14)} +
         std::chrono::seconds{two(17)};
}

std::string to_text(time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

series read_series(const std::string& path, std::string name) {
  const auto lines = text::read_lines(path);
  if (lines.front() != "timestamp,value")
    text::fail(path, 1, fmt::format("the header is '{}', not 'timestamp,value'", text::shown(lines.front())));
  series result{std::move(name), {}};
  result.rows.reserve(lines.size() - 1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = text::fields_of(lines[i]);
    if (fields.size() != 2)
      text::fail(path, i + 1, fmt::format("{} fields, not 2", fields.size()));
    const auto time = parse_time(fields[0]);
    if (!time)
      text::fail(path, i + 1, fmt::format("timestamp: '{}' is not a time YYYY-MM-DD hh:mm:ss", text::shown(fields[0])));
    result.rows.push_back({*time, number_or_fail(path, i + 1, "value", fields[1])});
  }
  return result;
}

std::vector<double> read_scores(const std::string& path) {
  const auto lines = text::read_lines(path);
  const auto names = text::fields_of(lines.front());
  const auto found = std::find(names.begin(), names.end(), "anomaly_score");
  if (found == names.end())
    text::fail(path, 1, "no column anomaly_score");
  const auto column = static_cast<std::size_t>(found - names.begin());
  std::vector<double> scores;
  scores.reserve(lines.size() - 1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = text::fields_of(lines[i]);
    if (fields.size() != names.size())
      text::fail(path, i + 1, fmt::format("{} fields, not {}", fields.size(), names.size()));
    scores.push_back(number_or_fail(path, i + 1, "anomaly_score", fields[column]));
  }
  return scores;
}

} // namespace nab
