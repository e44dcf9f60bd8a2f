// SPDX-License-Identifier: BSD-3-Clause
#include "order_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace order_simulation {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the quoted field that starts at `at` and returns its inside; `at` moves behind the closing quote.
std::string_view take_quoted(std::string_view line, std::size_t& at, order_field which) {
  const std::size_t first = at + 1;
  std::size_t quote = line.find('"', first);
  while (quote != std::string_view::npos && quote + 1 < line.size() && line[quote + 1] == '"')
    quote = line.find('"', quote + 2);
  if (quote == std::string_view::npos)
    fail_field(which, "the quote is not closed on this line");
  at = quote + 1;
  if (at < line.size() && line[at] != ',')
    fail_field(which, "text follows the closing quote");
  return line.substr(first, quote - first);
}

} // namespace

void fail_field(order_field which, std::string_view problem) {
  throw row_fault{fmt::format("field {}: {}", order_field_names[static_cast<std::size_t>(which)], problem)};
}

void fail_value(order_field which, std::string_view value, std::string_view problem) {
  fail_field(which, fmt::format("'{}' {}", shown(value), problem));
}

order_fields::order_fields(std::string_view line) {
  std::size_t count = 0;
  for (std::size_t at = 0;; ++at) {
    if (count == values_.size())
      throw row_fault{
          fmt::format("the row goes on after field {}: {} fields expected", order_field_names.back(), count)};
    const auto which = static_cast<order_field>(count);
    if (at < line.size() && line[at] == '"') {
      values_[count++] = take_quoted(line, at, which);
    } else {
      const std::size_t comma = std::min(line.find(',', at), line.size());
      const std::string_view value = line.substr(at, comma - at);
      if (value.find('"') != std::string_view::npos)
        fail_field(which, "a quote in a field that is not quoted");
      values_[count++] = value;
      at = comma;
    }
    if (at >= line.size())
      break;
  }
  if (count < values_.size())
    throw row_fault{fmt::format("the row ends after field {}: {} fields of {}", order_field_names[count - 1], count,
                                values_.size())};
}

void check_key(order_field which, std::string_view value) {
  if (value.empty())
    fail_field(which, "is empty");
  for (const char c : value)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ',' || c == '"')
      fail_value(which, value, "holds a comma, a quote or a control character");
}

std::int32_t parse_quantity(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
    fail_value(order_field::quantity, text, "is not a whole number");
  std::int64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
    if (value > std::numeric_limits<std::int32_t>::max())
      fail_value(order_field::quantity, text, "is out of range (-2147483647 to 2147483647)");
  }
  if (value == 0)
    fail_value(order_field::quantity, text, "is neither a sale nor a return");
  return static_cast<std::int32_t>(negative ? -value : value);
}

std::int64_t parse_price_milli(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view number = text.substr(negative ? 1 : 0);
  const std::size_t point = std::min(number.find('.'), number.size());
  const std::string_view whole = number.substr(0, point);
  const std::string_view decimals = point < number.size() ? number.substr(point + 1) : std::string_view{};
  if (whole.empty() || (point < number.size() && decimals.empty()) ||
      !std::all_of(whole.begin(), whole.end(), is_digit) || !std::all_of(decimals.begin(), decimals.end(), is_digit))
    fail_value(order_field::unit_price, text, "is not a decimal number");
  if (decimals.size() > 3)
    fail_value(order_field::unit_price, text, "has more than three decimals");
  std::int64_t milli = 0;
  const auto append = [&](char digit) {
    if (__builtin_mul_overflow(milli, 10, &milli) || __builtin_add_overflow(milli, digit - '0', &milli))
      fail_value(order_field::unit_price, text, "is too large");
  };
  std::for_each(whole.begin(), whole.end(), append);
  std::for_each(decimals.begin(), decimals.end(), append);
  for (std::size_t i = decimals.size(); i < 3; ++i)
    append('0');
  return negative ? -milli : milli;
}

std::chrono::sys_seconds parse_date(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00 00:00:00";
  bool well_formed = text.size() == shape.size();
  for (std::size_t i = 0; well_formed && i < shape.size(); ++i)
    well_formed = shape[i] == '0' ? is_digit(text[i]) : text[i] == shape[i];
  if (!well_formed)
    fail_value(order_field::invoice_date, text, "is not of the form YYYY-MM-DD hh:mm:ss");
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int year = two(0) * 100 + two(2);
  const std::chrono::year_month_day day{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(two(5))},
                                        std::chrono::day{static_cast<unsigned>(two(8))}};
  if (!day.ok() || two(11) > 23 || two(14) > 59 || two(17) > 59)
    fail_value(order_field::invoice_date, text, "is not a date and time of the calendar");
  return std::chrono::sys_days{day} + std::chrono::hours{two(11)} + std::chrono::minutes{two(14)} +
         std::chrono::seconds{two(17)};
}

void check_customer(std::string_view text) {
  if (text.empty())
    return;
  const std::string_view digits = text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
    fail_value(order_field::customer_id, text, "is not a customer number");
}

} // namespace order_simulation
