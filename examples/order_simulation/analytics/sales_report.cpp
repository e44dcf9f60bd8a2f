// SPDX-License-Identifier: BSD-3-Clause
#include "sales_report.hpp"

#include "../report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace order_simulation {

namespace {

constexpr std::size_t periods_shown = 6;
constexpr std::size_t countries_shown = 8;
constexpr std::size_t products_shown = 10;
constexpr std::size_t anomalies_shown = 10;
constexpr std::size_t sellers_shown = 5;

std::int64_t first_period(const sales_answers& a) {
  std::int64_t first = INT64_MAX;
  for (const auto& [cell, sum] : a.cells)
    first = std::min(first, cell.second);
  return first;
}

std::int64_t first_interval(const sales_answers& a) { return a.orders.empty() ? 0 : a.orders.begin()->first; }

/// Countries with their sums over all periods, most revenue first.
std::vector<std::pair<std::uint16_t, sales_sum>> by_country(const sales_answers& a) {
  std::map<std::uint16_t, sales_sum> sums;
  for (const auto& [cell, sum] : a.cells)
    sums[cell.first] += sum;
  std::vector<std::pair<std::uint16_t, sales_sum>> all(sums.begin(), sums.end());
  std::ranges::stable_sort(all, std::ranges::greater{}, [](const auto& x) { return x.second.revenue(); });
  return all;
}

std::map<std::int64_t, sales_sum> by_period(const sales_answers& a) {
  std::map<std::int64_t, sales_sum> sums;
  for (const auto& [cell, sum] : a.cells)
    sums[cell.second] += sum;
  return sums;
}

/// Sellers by open orders, most first.
std::vector<std::pair<std::uint32_t, const seller_board*>> busiest(const sales_answers& a) {
  std::vector<std::pair<std::uint32_t, const seller_board*>> all;
  for (const auto& [seller, board] : a.dashboards)
    all.emplace_back(seller, &board);
  std::ranges::stable_sort(all, std::ranges::greater{}, [](const auto& x) { return x.second->orders; });
  all.resize(std::min(all.size(), sellers_shown));
  return all;
}

text_section revenue_table(const sales_report& r) {
  const auto& a = r.answers;
  const auto& t = *r.terms;
  const auto first = first_period(a);
  const auto periods = by_period(a);
  const auto countries = by_country(a);
  text_section s{fmt::format("Revenue by country and {}", t.period.count() == 0 ? "month" : "time"), {}};
  std::string head = fmt::format("{:<22}{:>18}", "", "all");
  auto from = periods.begin();
  if (periods.size() > periods_shown)
    std::advance(from, static_cast<std::ptrdiff_t>(periods.size() - periods_shown));
  for (auto p = from; p != periods.end(); ++p)
    head += fmt::format("{:>15}", t.period_name(p->first, first));
  s.lines.push_back(head);
  const auto row = [&](const std::string& name, const sales_sum& all, auto&& of_period) {
    std::string line = fmt::format("{:<22}{:>18}", name, t.money(all.revenue()));
    for (auto p = from; p != periods.end(); ++p)
      line += fmt::format("{:>15}", t.money(of_period(p->first)));
    s.lines.push_back(line);
  };
  row("all", a.total, [&](std::int64_t p) { return periods.at(p).revenue(); });
  for (std::size_t i = 0; i < std::min(countries.size(), countries_shown) && countries.size() > 1; ++i) {
    const auto country = countries[i].first;
    row(t.country(country), countries[i].second, [&](std::int64_t p) {
      const auto found = a.cells.find({country, p});
      return found == a.cells.end() ? 0 : found->second.revenue();
    });
  }
  if (from != periods.begin() || countries.size() > countries_shown)
    s.lines.push_back(
        fmt::format("{} countries, {} periods; the rest is in the JSON report", countries.size(), periods.size()));
  return s;
}

text_section product_table(const sales_report& r) {
  const auto& t = *r.terms;
  text_section s{"Top products", {}};
  s.lines.push_back(fmt::format("{:<22}{:>18}{:>15}     {:<16}{:>12}{:>10}", "by revenue, exact", "revenue", "units",
                                fmt::format("by units, {} counters", sales_table::counters), "units", "error <="));
  const auto hot = r.hot.top(products_shown);
  for (std::size_t i = 0; i < std::min(r.answers.top.size(), products_shown); ++i) {
    const auto& p = r.answers.top[i];
    std::string line =
        fmt::format("{:<22}{:>18}{:>15}", t.product(p.product), t.money(p.sum.revenue()), grouped_digits(p.sum.units));
    if (i < hot.size())
      line += fmt::format("     {:<25}{:>12}{:>10}", t.product(hot[i].key),
                          grouped_digits(static_cast<std::int64_t>(hot[i].count)), hot[i].error);
    s.lines.push_back(line);
  }
  return s;
}

text_section rate_table(const sales_report& r) {
  const auto& t = *r.terms;
  const auto first = first_interval(r.answers);
  text_section s{"Order rate", {}};
  std::uint64_t most = 0;
  for (const auto& [interval, orders] : r.answers.orders)
    most = std::max(most, orders);
  s.lines.push_back(fmt::format("{} intervals with {}, at most {} in one; {} anomalies", r.answers.orders.size(),
                                t.counted, grouped_digits(static_cast<std::int64_t>(most)),
                                r.answers.anomalies.size()));
  for (std::size_t i = 0; i < std::min(r.answers.anomalies.size(), anomalies_shown); ++i) {
    const auto& x = r.answers.anomalies[i];
    s.lines.push_back(
        fmt::format("{:<22}{:>18}   score {:.6f}", t.interval_name(x.interval, first), x.orders, x.score));
  }
  return s;
}

text_section seller_table(const sales_report& r) {
  text_section s{"Sellers' dashboards", {}};
  std::uint64_t items = 0;
  std::int64_t amount = 0;
  for (const auto& [seller, board] : r.answers.dashboards) {
    items += board.items;
    amount += board.invoice().cents;
  }
  s.lines.push_back(fmt::format("{} sellers with open orders: {} lines, {}", r.answers.dashboards.size(), items,
                                r.terms->money(amount)));
  for (const auto& [seller, board] : busiest(r.answers))
    s.lines.push_back(
        fmt::format("seller {:<8} {:>5} orders {:>5} lines  goods {:>12}  freight {:>10}  to be paid {:>12}", seller,
                    board->orders, board->items, r.terms->money(board->goods.cents),
                    r.terms->money(board->freight.cents), r.terms->money(board->invoice().cents)));
  return s;
}

nlohmann::ordered_json sum_json(const sales_sum& s) {
  return {{"revenue", s.revenue()},
          {"sold", s.amount},
          {"returned", s.returned_amount},
          {"units", s.units},
          {"returned_units", s.returned_units},
          {"orders", s.orders}};
}

} // namespace

void append_sales_invariants(std::vector<invariant>& to, const sales_report& live, const sales_answers& batch) {
  const auto add = [&](std::string name, bool holds, std::size_t checked) {
    to.push_back({"analytics: " + std::move(name), holds, checked});
  };
  const auto& a = live.answers;
  add("every event was taken by the pipeline once, whatever failed", live.lost == 0 && live.given == live.taken,
      live.given);
  add("revenue by country and period, live = recomputed", a.cells == batch.cells && a.total == batch.total,
      batch.cells.size());
  add("product sums and top products, live = recomputed", a.products == batch.products && a.top == batch.top,
      batch.products.size());
  add("bounded-memory top products are within their stated error", within_stated_error(live.hot, batch.products),
      batch.products.size());
  add("order rate and its anomalies, live = recomputed", a.orders == batch.orders && a.anomalies == batch.anomalies,
      batch.orders.size());
  if (live.terms->has_sellers)
    add("sellers' dashboards, live = the lists that the sellers keep", a.dashboards == batch.dashboards,
        batch.dashboards.size());
}

std::vector<text_section> to_text(const sales_report& r) {
  if (r.answers.cells.empty())
    return {{"Analytics", {"no sales"}}};
  std::vector<text_section> all{revenue_table(r), product_table(r), rate_table(r)};
  if (r.terms->has_sellers)
    all.push_back(seller_table(r));
  return all;
}

nlohmann::ordered_json to_json(const sales_report& r) {
  using json = nlohmann::ordered_json;
  const auto& a = r.answers;
  const auto& t = *r.terms;
  json j;
  j["money_decimals"] = t.decimals;
  j["events"] = {{"given", r.given}, {"taken", r.taken}, {"failures_repaired", r.failures}};
  j["revenue"] = sum_json(a.total);
  j["by_country_and_period"] = json::array();
  const auto first = a.cells.empty() ? 0 : first_period(a);
  for (const auto& [cell, sum] : a.cells) {
    json x{{"country", t.country(cell.first)}, {"period", t.period_name(cell.second, first)}};
    x.update(sum_json(sum));
    j["by_country_and_period"].push_back(std::move(x));
  }
  j["top_products"] = json::array();
  for (const auto& p : a.top) {
    json x{{"product", t.product(p.product)}};
    x.update(sum_json(p.sum));
    j["top_products"].push_back(std::move(x));
  }
  j["bounded_memory_top"] = json::array();
  for (const auto& c : r.hot.top(top_products_max))
    j["bounded_memory_top"].push_back({{"product", t.product(c.key)}, {"units", c.count}, {"error", c.error}});
  json anomalies = json::array();
  for (const auto& x : a.anomalies)
    anomalies.push_back(
        {{"interval", t.interval_name(x.interval, first_interval(a))}, {"orders", x.orders}, {"score", x.score}});
  j["order_rate"] = {{"counted", t.counted},
                     {"interval_us", t.interval.count()},
                     {"intervals", a.orders.size()},
                     {"anomalies", std::move(anomalies)}};
  j["dashboards"] = json::array();
  for (const auto& [seller, board] : busiest(a)) {
    json entries = json::array();
    for (const auto& [place, e] : board->entries)
      entries.push_back({{"customer", place.first.customer.value},
                         {"order", place.first.number},
                         {"product", e.product},
                         {"quantity", e.quantity},
                         {"status", troupe::commerce::to_string(e.status)},
                         {"delivered", e.delivered},
                         {"to_be_paid", e.invoice().cents}});
    j["dashboards"].push_back({{"seller", seller},
                               {"orders", board->orders},
                               {"items", board->items},
                               {"goods", board->goods.cents},
                               {"incentive", board->incentive.cents},
                               {"freight", board->freight.cents},
                               {"to_be_paid", board->invoice().cents},
                               {"entries", std::move(entries)}});
  }
  return j;
}

} // namespace order_simulation
