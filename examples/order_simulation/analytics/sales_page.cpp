// SPDX-License-Identifier: BSD-3-Clause
#include "sales_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace order_simulation {

namespace {

constexpr std::size_t countries_shown = 5; // the others together
constexpr std::size_t products_shown = 12;
constexpr std::size_t bars_max = 60;     // wider bars of several periods beyond that
constexpr std::size_t rate_points = 900; // the most of several intervals beyond that
constexpr double wide = 920, high = 240; // of a chart

constexpr std::array<const char*, countries_shown + 1> colours{"#3b6fb6", "#e0803a", "#4f9d69",
                                                               "#b5546f", "#8a6fc0", "#9aa3ad"};

constexpr std::string_view style = R"(<style>
:root { color-scheme: light dark; --ink: #1d2430; --soft: #667080; --line: #d9dee5; --paper: #fff; --ground: #f3f5f8; --odd: #c62f3b; --good: #2e7d4f }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa3b0; --line: #343b46; --paper: #1b2028; --ground: #12161c; --odd: #ff6b76; --good: #66c28b } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 0 auto; max-width: 1000px; padding: 24px }
h1 { font-size: 24px; margin: 0 } h2 { font-size: 16px; margin: 0 0 12px } p { color: var(--soft); margin: 4px 0 20px }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 0 0 18px }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 18px }
.figures b { display: block; font-size: 22px; font-variant-numeric: tabular-nums } .figures span, .key, small { color: var(--soft); font-size: 13px }
svg { width: 100%; height: auto; display: block } svg text { font-size: 11px; fill: var(--soft) } .grid { stroke: var(--line) }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 14px }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums } td, th { text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--line) }
td:first-child, th:first-child { text-align: left } th { color: var(--soft); font-weight: 500 } .bar { height: 9px; border-radius: 3px; background: #3b6fb6 }
.yes { color: var(--good) } .no { color: var(--odd); font-weight: 700 }
</style>)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

class sales_page {
public:
  explicit sales_page(const report& r) : run_{r}, sales_{*r.analytics}, terms_{*r.analytics->terms} {}

  std::string write() {
    out("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>Order simulation: {0}</title>{1}</head><body>\n<h1>Order simulation: "
        "{0}</h1><p>{2:.1f} s, seed {3}, {4} failures injected. Computed while the shop was running, and again "
        "afterwards from its record.</p>\n",
        escaped(run_.scenario), style, run_.elapsed_s, run_.seed, run_.supervision.crashes_injected);
    figures();
    revenue();
    products();
    rate();
    sellers();
    verdicts();
    out("</body></html>\n");
    return std::move(text_);
  }

private:
  template <class... Values>
  void out(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }

  void figures() {
    const auto& t = sales_.answers.total;
    const auto one = [&](const std::string& value, std::string_view what) {
      out("<div><b>{}</b><span>{}</span></div>", value, what);
    };
    out("<section class=\"figures\">");
    one(terms_.money(t.revenue()), "revenue");
    one(grouped_digits(t.orders), terms_.counted);
    one(grouped_digits(t.units), "units sold");
    one(terms_.money(t.returned_amount), "returned");
    one(grouped_digits(static_cast<std::int64_t>(sales_.answers.products.size())), "products");
    one(std::to_string(sales_.answers.anomalies.size()), "rate anomalies");
    out("</section>\n");
  }

  /// A scale from 0 to the next round number, with its lines. Returns the top.
  double grid(double most) {
    double step = 1;
    for (unsigned i = 0; most / step > 5; ++i)
      step *= i % 3 == 1 ? 2.5 : 2;
    const double top = std::max(step, step * static_cast<double>(static_cast<std::int64_t>(most / step) + 1));
    for (double y = 0; y <= top + step / 2; y += step)
      out("<line class=\"grid\" x1=\"0\" x2=\"{0}\" y1=\"{1:.1f}\" y2=\"{1:.1f}\"/><text x=\"{0}\" y=\"{2:.1f}\" "
          "text-anchor=\"end\">{3}</text>",
          wide, high - y / top * high, high - y / top * high - 3, grouped_digits(static_cast<std::int64_t>(y)));
    return top;
  }

  void revenue() {
    std::map<std::uint16_t, std::int64_t> countries;
    std::int64_t first = INT64_MAX, last = INT64_MIN;
    for (const auto& [cell, sum] : sales_.answers.cells) {
      countries[cell.first] += sum.revenue();
      first = std::min(first, cell.second);
      last = std::max(last, cell.second);
    }
    if (countries.empty())
      return;
    std::vector<std::pair<std::int64_t, std::uint16_t>> best;
    for (const auto& [country, revenue] : countries)
      best.emplace_back(revenue, country);
    std::ranges::sort(best, std::ranges::greater{});
    const auto layer_of = [&](std::uint16_t country) {
      const auto at = std::ranges::find(best, country, [](const auto& b) { return b.second; }) - best.begin();
      return std::min(static_cast<std::size_t>(at), countries_shown);
    };
    const std::int64_t group = (last - first) / static_cast<std::int64_t>(bars_max) + 1;
    std::vector<std::array<double, countries_shown + 1>> bars(static_cast<std::size_t>((last - first) / group + 1));
    for (const auto& [cell, sum] : sales_.answers.cells)
      bars[static_cast<std::size_t>((cell.second - first) / group)][layer_of(cell.first)] +=
          static_cast<double>(std::max<std::int64_t>(sum.revenue(), 0)) / unit();
    double most = 0;
    for (const auto& b : bars)
      most = std::max(most, std::accumulate(b.begin(), b.end(), 0.0));
    out("<section><h2>Revenue by {}</h2><svg viewBox=\"0 -14 {} {}\">", terms_.period.count() == 0 ? "month" : "time",
        wide, high + 32);
    const double top = grid(most);
    const double room = (wide - 70) / static_cast<double>(bars.size());
    for (std::size_t i = 0; i < bars.size(); ++i) {
      double y = high;
      const double x = room * static_cast<double>(i);
      for (std::size_t c = 0; c <= countries_shown; ++c) {
        const double h = bars[i][c] / top * high;
        y -= h;
        if (h > 0)
          out("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>", x + room * 0.1, y,
              room * 0.8, h, colours[c]);
      }
      if (i % (bars.size() / 14 + 1) == 0)
        out("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x + room / 2, high + 14,
            terms_.period_name(first + static_cast<std::int64_t>(i) * group, first));
    }
    out("</svg>");
    if (best.size() > 1) {
      out("<div class=\"key\">");
      for (std::size_t c = 0; c < std::min(best.size(), countries_shown); ++c)
        out("<i style=\"background:{}\"></i>{} {}", colours[c], escaped(terms_.country(best[c].second)),
            terms_.money(best[c].first));
      if (best.size() > countries_shown)
        out("<i style=\"background:{}\"></i>{} others", colours.back(), best.size() - countries_shown);
      out("</div>");
    }
    out("</section>\n");
  }

  void products() {
    const auto& top = sales_.answers.top;
    if (top.empty())
      return;
    out("<section><h2>Top products</h2><table><tr><th>product</th><th style=\"width:45%\"></th><th>revenue</th>"
        "<th>units</th><th>returned</th></tr>");
    const double most = static_cast<double>(std::max<std::int64_t>(top.front().sum.revenue(), 1));
    for (std::size_t i = 0; i < std::min(top.size(), products_shown); ++i) {
      const auto& [product, sum] = top[i];
      const double share = std::max(0.0, static_cast<double>(sum.revenue()) / most);
      out("<tr><td>{}</td><td><div class=\"bar\" style=\"width:{:.1f}%\"></div></td><td>{}</td><td>{}</td><td>{}</td>"
          "</tr>",
          escaped(terms_.product(product)), 100 * share, terms_.money(sum.revenue()), grouped_digits(sum.units),
          grouped_digits(sum.returned_units));
    }
    out("</table></section>\n");
  }

  void rate() {
    const auto& counts = sales_.answers.orders;
    if (counts.empty())
      return;
    const auto first = counts.begin()->first;
    const auto group = (counts.rbegin()->first - first) / static_cast<std::int64_t>(rate_points) + 1;
    std::vector<double> points(static_cast<std::size_t>((counts.rbegin()->first - first) / group + 1));
    for (const auto& [interval, orders] : counts) {
      auto& p = points[static_cast<std::size_t>((interval - first) / group)];
      p = std::max(p, static_cast<double>(orders));
    }
    out("<section><h2>Order rate</h2><svg viewBox=\"0 -14 {} {}\">", wide, high + 32);
    const double top = grid(*std::ranges::max_element(points));
    const double room = (wide - 70) / static_cast<double>(std::max<std::size_t>(points.size() - 1, 1));
    out("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.3\" points=\"", colours[0]);
    for (std::size_t i = 0; i < points.size(); ++i)
      out("{:.1f},{:.1f} ", room * static_cast<double>(i), high - points[i] / top * high);
    out("\"/>");
    for (const auto& a : sales_.answers.anomalies)
      out("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"var(--odd)\"><title>{}: {}</title></circle>",
          room * static_cast<double>((a.interval - first) / group), high - static_cast<double>(a.orders) / top * high,
          terms_.interval_name(a.interval, first), a.orders);
    for (std::size_t i = 0; i < points.size(); i += points.size() / 8 + 1)
      out("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", room * static_cast<double>(i), high + 14,
          terms_.interval_name(first + static_cast<std::int64_t>(i) * group, first));
    out("</svg><small>{} in each interval; red: {} anomalies, more than three deviations from what was usual</small>"
        "</section>\n",
        terms_.counted, sales_.answers.anomalies.size());
  }

  void sellers() {
    std::vector<std::pair<std::uint32_t, const seller_board*>> all;
    for (const auto& [seller, board] : sales_.answers.dashboards)
      all.emplace_back(seller, &board);
    if (all.empty())
      return;
    std::ranges::stable_sort(all, std::ranges::greater{}, [](const auto& x) { return x.second->orders; });
    out("<section><h2>Sellers with most open orders</h2><table><tr><th>seller</th><th>orders</th><th>lines</th>"
        "<th>goods</th><th>vouchers</th><th>freight</th><th>to be paid</th></tr>");
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 10); ++i) {
      const auto& b = *all[i].second;
      out("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", all[i].first,
          b.orders, b.items, terms_.money(b.goods.cents), terms_.money(b.incentive.cents),
          terms_.money(b.freight.cents), terms_.money(b.invoice().cents));
    }
    out("</table></section>\n");
  }

  void verdicts() {
    out("<section><h2>Invariants</h2><table><tr><th>statement</th><th>checked</th><th></th></tr>");
    for (const auto& i : run_.invariants)
      out("<tr><td>{}</td><td>{}</td><td class=\"{}\">{}</td></tr>", escaped(i.name),
          grouped_digits(static_cast<std::int64_t>(i.checked)), i.holds ? "yes" : "no", i.holds ? "holds" : "BROKEN");
    out("</table></section>\n");
  }

  double unit() const {
    double u = 1;
    for (unsigned i = 0; i < terms_.decimals; ++i)
      u *= 10;
    return u;
  }

  const report& run_;
  const sales_report& sales_;
  const sales_terms& terms_;
  std::string text_;
};

} // namespace

std::string to_html(const report& r) { return sales_page{r}.write(); }

} // namespace order_simulation
