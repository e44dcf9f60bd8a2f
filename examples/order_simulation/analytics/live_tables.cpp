// SPDX-License-Identifier: BSD-3-Clause
#include "live_tables.hpp"

#include <algorithm>

namespace order_simulation {

namespace {

constexpr std::size_t hot_shown = 5;

} // namespace

void add_to(sales_answers& a, const sales_table& t) {
  for (const auto& [cell, sum] : t.cells())
    a.cells[cell] += sum;
  for (const auto& [product, sum] : t.products())
    a.products[product] += sum;
  for (const auto& [interval, orders] : t.orders())
    a.orders[interval] += orders;
  a.total += t.total();
}

void add_to(sales_answers& a, const seller_boards& b) { a.dashboards.merge(b.all()); }

void add_to(sales_glance& g, const sales_table& t) {
  g.total += t.total();
  for (const auto& [cell, sum] : t.cells()) {
    g.revenue_by_country[cell.first] += sum.revenue();
    if (!g.newest_period || cell.second > *g.newest_period) {
      g.newest_period = cell.second;
      g.newest_revenue = 0;
    }
    if (cell.second == *g.newest_period)
      g.newest_revenue += sum.revenue();
  }
  for (const auto& [interval, orders] : t.orders())
    g.orders[interval] += orders;
  const auto more = t.hot().top(hot_shown);
  g.hot.insert(g.hot.end(), more.begin(), more.end());
  std::ranges::sort(g.hot, std::ranges::greater{}, &bounded_top::counter::count);
  g.hot.resize(std::min(g.hot.size(), hot_shown), {});
}

void add_to(sales_glance& g, const seller_boards& b) {
  g.open_lines += b.open_lines();
  g.open_amount += b.open_amount().cents;
  if (const auto busy = b.busiest(); busy.orders > g.busiest_orders) {
    g.busiest_orders = busy.orders;
    g.busiest_seller = busy.seller;
  }
}

} // namespace order_simulation
