// SPDX-License-Identifier: BSD-3-Clause
#include "sales_answers.hpp"

#include <troupe/analytics/top_list.hpp>

namespace order_simulation {

namespace {

/// By revenue; of equals, the first number is the better.
struct sold_less {
  bool operator()(const top_product& a, const top_product& b) const noexcept {
    return a.sum.revenue() != b.sum.revenue() ? a.sum.revenue() < b.sum.revenue() : a.product > b.product;
  }
};

} // namespace

std::vector<top_product> top_products(const std::map<std::uint32_t, sales_sum>& products, std::size_t most) {
  troupe::analytics::top_list<top_product, sold_less> best{most};
  for (const auto& [product, sum] : products)
    best.add({product, sum});
  return best.values();
}

void sales_recount::add(const sale& s) {
  sums_.cells[{s.country, terms_.period_of(s.time)}].add(s);
  sums_.products[s.product].add(s);
  sums_.total.add(s);
  if (s.counts)
    ++sums_.orders[terms_.interval_of(s.time)];
}

sales_answers sales_recount::answers() const {
  sales_answers a = sums_;
  a.anomalies = anomalies_of(a.orders);
  a.top = top_products(a.products, top_products_max);
  return a;
}

bool within_stated_error(const bounded_top& hot, const std::map<std::uint32_t, sales_sum>& exact) {
  const auto share = hot.total() / sales_table::counters;
  std::map<std::uint32_t, std::uint64_t> counted;
  for (const auto& c : hot.top(sales_table::counters)) {
    counted[c.key] = c.count;
    const auto known = exact.find(c.key);
    const auto units = known == exact.end() ? 0 : static_cast<std::uint64_t>(known->second.units);
    if (units > c.count || units + c.error < c.count || c.error > share)
      return false;
  }
  std::uint64_t total = 0;
  for (const auto& [product, sum] : exact) {
    total += static_cast<std::uint64_t>(sum.units);
    if (static_cast<std::uint64_t>(sum.units) > share && !counted.contains(product))
      return false;
  }
  return total == hot.total();
}

} // namespace order_simulation
