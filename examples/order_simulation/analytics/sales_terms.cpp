// SPDX-License-Identifier: BSD-3-Clause
#include "sales_terms.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

namespace order_simulation {

namespace {

namespace chr = std::chrono;

/// The number of the stretch of that length that `t` lies in, counted from 1970.
std::int64_t stretch_of(sales_terms::event_time t, sales_terms::event_duration length) {
  const auto since = t.time_since_epoch().count();
  const auto size = length.count();
  return since / size - (since % size < 0 ? 1 : 0);
}

std::string seconds(std::int64_t stretches, sales_terms::event_duration length) {
  const auto s = chr::duration<double>(length) * static_cast<double>(stretches);
  return length % chr::seconds{1} == chr::seconds{0} ? fmt::format("{:.0f} s", s.count())
                                                     : fmt::format("{:.1f} s", s.count());
}

} // namespace

std::int64_t sales_terms::period_of(event_time t) const {
  if (period.count() > 0)
    return stretch_of(t, period);
  const chr::year_month_day day{chr::floor<chr::days>(t)};
  return std::int64_t{int{day.year()}} * 12 + unsigned{day.month()} - 1;
}

std::int64_t sales_terms::interval_of(event_time t) const { return stretch_of(t, interval); }

std::string sales_terms::period_name(std::int64_t p, std::int64_t first) const {
  if (period.count() > 0)
    return seconds(p - first, period);
  return fmt::format("{:04}-{:02}", p / 12, p % 12 + 1);
}

std::string sales_terms::interval_name(std::int64_t i, std::int64_t first) const {
  if (interval < chr::hours{24})
    return seconds(i - first, interval);
  const chr::year_month_day day{chr::floor<chr::days>(event_time{interval * i})};
  return fmt::format("{:04}-{:02}-{:02}", int{day.year()}, unsigned{day.month()}, unsigned{day.day()});
}

std::string sales_terms::money(std::int64_t amount) const {
  std::int64_t unit = 1;
  for (unsigned i = 0; i < decimals; ++i)
    unit *= 10;
  return fmt::format("{}{}.{:0{}}", amount < 0 ? "-" : "", grouped_digits(std::llabs(amount / unit)),
                     std::llabs(amount % unit), decimals);
}

std::string sales_terms::country(std::uint16_t number) const {
  return number < countries.size() ? countries[number] : std::to_string(number);
}

std::string sales_terms::product(std::uint32_t number) const {
  return product_name ? product_name(number) : std::to_string(number);
}

std::string grouped_digits(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;)
    digits.insert(at -= 3, 1, ',');
  return digits;
}

} // namespace order_simulation
