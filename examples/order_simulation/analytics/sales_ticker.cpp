// SPDX-License-Identifier: BSD-3-Clause
#include "sales_ticker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t countries_shown = 3;
constexpr std::size_t products_shown = 3;
/// The newest intervals still fill up.
constexpr std::int64_t intervals_open = 2;

} // namespace

bool sales_ticker::wants(troupe::time_point now) const { return !looked_at_ || now - *looked_at_ >= 500ms; }

/// Goes on from the last look if what was scored then has not changed; an event may have come late.
void sales_ticker::watch_rate(const order_counts_by_interval& orders) {
  if (orders.empty())
    return;
  const auto end = orders.lower_bound(orders.rbegin()->first - intervals_open + 1);
  auto at = orders.begin();
  for (auto known = scored_.begin(); known != scored_.end() && at != end && *known == *at; ++known)
    ++at;
  if (std::distance(orders.begin(), at) != static_cast<std::ptrdiff_t>(scored_.size())) {
    rate_ = {};
    scored_.clear();
    at = orders.begin();
  }
  for (; at != end; ++at) {
    rate_.add(at->first, at->second);
    scored_.insert(scored_.end(), *at);
  }
}

void sales_ticker::look(troupe::time_point now, const sales_glance& g) {
  looked_at_ = now;
  lines_.clear();
  if (!g.newest_period)
    return;
  watch_rate(g.orders);
  const auto first_interval = g.orders.empty() ? 0 : g.orders.begin()->first;
  lines_.push_back(fmt::format("revenue    {:>16}   in {} {:>14}", terms_.money(g.total.revenue()),
                               terms_.period.count() == 0 ? terms_.period_name(*g.newest_period, 0) : "this period",
                               terms_.money(g.newest_revenue)));
  std::vector<std::pair<std::int64_t, std::uint16_t>> countries;
  for (const auto& [country, revenue] : g.revenue_by_country)
    countries.emplace_back(revenue, country);
  std::ranges::sort(countries, std::ranges::greater{});
  countries.resize(std::min(countries.size(), countries_shown));
  if (g.revenue_by_country.size() > 1) {
    std::string line = "  from    ";
    for (const auto& [revenue, country] : countries)
      line += fmt::format(" {} {}", terms_.country(country), terms_.money(revenue));
    lines_.push_back(line);
  }
  std::string best = "top units ";
  for (std::size_t i = 0; i < std::min(g.hot.size(), products_shown); ++i)
    best +=
        fmt::format(" {} {}", terms_.product(g.hot[i].key), grouped_digits(static_cast<std::int64_t>(g.hot[i].count)));
  lines_.push_back(best);
  if (g.busiest_seller != 0)
    lines_.push_back(fmt::format("sellers    {:>12} lines open, {}; most orders: seller {}, {}", g.open_lines,
                                 terms_.money(g.open_amount), g.busiest_seller, g.busiest_orders));
  const auto& odd = rate_.anomalies();
  lines_.push_back(fmt::format("{} rate {} anomalies{}", terms_.counted, odd.size(),
                               odd.empty() ? std::string{}
                                           : fmt::format(", last: {} at {}", odd.back().orders,
                                                         terms_.interval_name(odd.back().interval, first_interval))));
}

} // namespace order_simulation
