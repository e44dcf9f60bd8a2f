// SPDX-License-Identifier: BSD-3-Clause
// The verdicts on what marketplace_audit.cpp has found.
#include <troupe/commerce/anomalies.hpp>

#include "marketplace_audit.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace order_simulation {

namespace {

using namespace troupe::commerce;

struct causality {
  std::uint64_t carts = 0;
  std::uint64_t anomalies = 0;
};

/// The items of a cart, the one whose price is oldest first. The procedure holds an item against those before it only,
/// and takes one that is newer than its pivot for an anomaly: in this order it misses none and invents none.
std::vector<priced_item> by_age(const std::vector<priced_item>& history, const bought_together& basket) {
  std::vector<std::pair<std::size_t, priced_item>> aged;
  for (const auto& l : basket.lines) {
    const auto shown = std::ranges::find_if(history, [&](const priced_item& u) {
      return u.number == l.item.number && u.version == l.version && u.price == l.unit_price;
    });
    aged.emplace_back(shown - history.begin(), priced_item{l.item.number, l.version, l.unit_price});
  }
  std::ranges::stable_sort(aged, std::ranges::greater{}, [](const auto& a) { return a.first; });
  std::vector<priced_item> items;
  for (const auto& a : aged)
    items.push_back(a.second);
  return items;
}

/// Every recorded cart with several items of one seller, against that seller's updates.
causality check_causality(const std::vector<std::shared_ptr<driver_book>>& books, const marketplace_plan& plan) {
  std::unordered_map<std::uint32_t, std::vector<made_update>> updates;
  for (const auto& b : books)
    for (const auto& u : b->updates)
      updates[u.seller].push_back(u);
  std::unordered_map<std::uint32_t, std::vector<priced_item>> histories;
  causality result;
  for (const auto& b : books) {
    for (const auto& basket : b->baskets) {
      auto& history = histories[basket.seller];
      if (history.empty()) { // newest first; then the opening prices, twice: the oldest entry is never looked at
        auto& all = updates[basket.seller];
        std::ranges::sort(all, std::ranges::greater{}, &made_update::sequence);
        for (const auto& u : all)
          history.push_back({u.number, u.version, u.price});
        for (unsigned twice = 0; twice < 2; ++twice)
          for (const auto& p : plan.first_shown(basket.seller))
            history.push_back(p);
      }
      result.anomalies += count_anomalies(history, by_age(history, basket));
      ++result.carts;
    }
  }
  return result;
}

/// Whether something holds for all partitions.
template <class Holds>
bool all_of(const market_findings& f, Holds holds) {
  return std::ranges::all_of(f.partitions, holds);
}

} // namespace

void append_market_invariants(report& r, const market_findings& f,
                              const std::vector<std::shared_ptr<driver_book>>& books, const marketplace_plan& plan) {
  const auto add = [&r](std::string name, bool holds, std::uint64_t checked) {
    r.invariants.push_back({std::move(name), holds, checked});
  };
  using part = market_findings::partition;
  std::uint64_t dashboards = 0, dashboards_wrong = 0, sessions = 0, mixed = 0, renewals = 0, accepted = 0, failed = 0;
  troupe::commerce::tally acknowledged, paid;
  for (const auto& p : f.partitions)
    paid += p.paid;
  for (const auto& b : books) {
    dashboards += b->sums.dashboards;
    dashboards_wrong += b->sums.dashboards_wrong;
    sessions += b->sums.sessions_checked;
    mixed += b->sums.sessions_mixed;
    renewals += b->renewals;
    accepted += b->sums.orders_completed;
    failed += b->sums.orders_failed;
    acknowledged += b->sums.acknowledged;
  }

  add("1 all or nothing: each order has one invoice per seller, one payment, one shipment, and none is left under way",
      f.unfinished == 0 && f.invoices == f.parts_invoiced && f.invoices_paid == f.parts_paid &&
          f.invoices_voided.count == f.parts_invoiced.count - f.parts_paid.count && f.payments_broken == 0 &&
          all_of(f, [](const part& p) { return p.paid == p.shipments; }),
      f.orders);
  add("1 stock law: supplied = available + confirmed, confirmed is what paid orders hold, nothing stays reserved",
      f.stocks_broken == 0 && f.stocks_reserved == 0 && f.units_sold_checksum == f.units_ordered_checksum, f.products);
  add("2 isolation: nothing is oversold", f.stocks_oversold == 0, f.products);
  add("2 isolation: no two sessions of a customer share a cart", mixed == 0 && f.carts_broken == 0,
      sessions + f.customers);
  const auto causal = check_causality(books, plan);
  add("3 causal replication: no cart shows an update without those before it", causal.anomalies == 0, causal.carts);
  add("4 integrity: stocks and price lists have the version of a live product", f.versions_broken == 0, 2 * f.products);
  add("4 integrity: every package belongs to an order's line, every payment to an order",
      f.payments_broken == 0 && all_of(f, [](const part& p) { return p.packages == p.packages_paid; }), f.lines);
  add("5 event order: no step of an order overtakes another at its customer, seller or order", f.steps_broken == 0,
      f.steps);
  add("6 consistent query: every dashboard's sums are those of its list", dashboards_wrong + f.dashboards_wrong == 0,
      dashboards + f.sellers);
  add("7 exactly once: counts of payments and deliveries are those of orders and packages, whatever was repeated",
      f.counts_broken == 0 && all_of(f, [](const part& p) { return p.packages_arrived == p.packages_delivered; }),
      f.customers + f.probes);
  add("8 durability: the orders that customers were told of are those that are paid, none missing, none twice",
      acknowledged == paid && accepted == acknowledged.count, f.paid_orders);
  add("8 audit: the journals alone give the same orders, with a record of each step up to the delivery",
      f.journals_differ == 0 && f.journals_delivered == f.journals_steps, f.journals);
  add("9 failure isolation: orders are complete though sellers and customers were ended and begun anew",
      f.unfinished == 0 && failed == 0 && accepted == f.paid_orders, renewals);
  add("TPC-C 1, 8, 9: what orders, payments, customers, sellers and the provider counted is the same money",
      f.order_total == f.payment_total && f.order_total == f.spent && f.order_total == f.revenue &&
          f.order_total == f.provider_balance,
      f.paid_orders);
  add("TPC-C 2: order numbers are dense, without gap or repetition", f.numbers_broken == 0, f.customers);
  add("TPC-C 3: shipments are numbered without gap, and those not concluded are open",
      all_of(f,
             [](const part& p) {
               return p.last_number == p.shipments.count && p.shipments.count - p.concluded.count == p.open_shipments;
             }),
      f.partitions.size());
  add("TPC-C 4, 6: as many packages as lines, no line lost or doubled",
      all_of(f, [](const part& p) { return p.packages == p.packages_paid; }), f.lines);
  add("TPC-C 5, 7: orders, shipments and sellers agree on what is delivered",
      f.statuses_broken == 0 && f.invoices_concluded == f.parts_delivered &&
          all_of(f, [](const part& p) { return p.delivered == p.concluded && p.open_orders == p.open_shipments; }),
      f.paid_orders);
  add("TPC-C 10, 12: each customer has spent what his paid orders come to", f.ledgers_broken == 0, f.customers);
}

} // namespace order_simulation
