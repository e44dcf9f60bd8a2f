// SPDX-License-Identifier: BSD-3-Clause
#include "flash_sale_audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;

// What the speed of a run is held to, if it is long enough to have one and nothing fails on purpose. The payment provider
// bounds the goodput, not the processor, so that both rehearsal and sale come close to the same figure; but they run one
// after the other, and a machine that is busy with other things during one of them only must not fail the other.
constexpr double goodput_share_min = 0.75;
constexpr double latency_factor_max = 10.0;
constexpr auto judged_time_min = 1s;
constexpr std::uint64_t judged_orders_min = 1'000;

double ms(std::chrono::microseconds us) { return static_cast<double>(us.count()) / 1000.0; }

} // namespace

void append_sale_notes(report& r, const sale_facts& f) {
  const sale_record& sale = f.sale;
  const auto of_capacity = [capacity = f.capacity_per_s](double per_s) {
    return capacity > 0 ? fmt::format(", {:.0f} % of the capacity", 100 * per_s / capacity) : std::string{};
  };
  r.notes.push_back(
      fmt::format("offered      {:.0f} orders/s{}", f.figures.offered_per_s, of_capacity(f.figures.offered_per_s)));
  r.notes.push_back(
      fmt::format("goodput      {:.0f} orders/s{}", f.figures.goodput_per_s, of_capacity(f.figures.goodput_per_s)));
  r.notes.push_back(fmt::format("accepted     {} sold, {} sold out; p99 {:.1f} times the unloaded one",
                                sale.count(sale_outcome::sold), sale.count(sale_outcome::sold_out),
                                ms(sale.accepted().value_at(0.99)) / std::max(f.unloaded.p99, 1e-3)));
  r.notes.push_back(fmt::format("shed         {} shop full, {} too late, {} before the door",
                                sale.count(sale_outcome::busy_full), sale.count(sale_outcome::busy_late),
                                sale.count(sale_outcome::busy_edge)));
}

void append_sale_invariants(report& r, const sale_facts& f) {
  const sale_record& sale = f.sale;
  bool none_oversold = true;
  bool law = true;
  std::int64_t sold = 0;
  for (std::size_t p = 0; p < f.stocks.size(); ++p) {
    const sale_stock_figures& s = f.stocks[p];
    const std::int64_t had = p < hot_products ? f.opening_stock : rehearsal_stock;
    none_oversold = none_oversold && s.available >= 0 && s.sold <= had;
    law = law && s.held == 0 && s.sold + s.available == had;
    if (p < hot_products)
      sold += s.sold - (f.sold_before.empty() ? 0 : f.sold_before[p]);
  }
  r.invariants.push_back({"no product is oversold", none_oversold, f.stocks.size()});
  r.invariants.push_back({"stock law: sold + left = opening, and nothing is held", law, f.stocks.size()});
  r.invariants.push_back({"the customers have what the stocks have sold",
                          sale.sold_units() == static_cast<std::uint64_t>(sold), sale.count(sale_outcome::sold)});
  r.invariants.push_back(
      {"every order is answered exactly once", sale.answered() == sale.sent && sale.repeated() == 0, sale.sent});
}

void append_speed_invariants(report& r, const sale_facts& f) {
  const sale_record& sale = f.sale;
  if (f.capacity_per_s > 0 && f.figures.selling >= judged_time_min)
    r.invariants.push_back({fmt::format("goodput at {:.0f} times the capacity >= {:.0f} % of the capacity",
                                        sale_overload, 100 * goodput_share_min),
                            f.figures.goodput_per_s >= goodput_share_min * f.capacity_per_s, sale.served()});
  if (sale.served() >= judged_orders_min)
    r.invariants.push_back({fmt::format("p99 of accepted orders < {:.0f} times the unloaded p99", latency_factor_max),
                            ms(sale.accepted().value_at(0.99)) < latency_factor_max * f.unloaded.p99, sale.served()});
}

} // namespace order_simulation
