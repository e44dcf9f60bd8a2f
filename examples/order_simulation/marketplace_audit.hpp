// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "marketplace_shop.hpp"
#include "marketplace_traffic.hpp"
#include "report.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace order_simulation {

/// What the actors of a marketplace at rest say of themselves, summed so that the sums must agree.
struct market_findings {
  using money = troupe::commerce::money;
  using tally = troupe::commerce::tally;

  /// What one partition of the customers should have shipped, and what it has.
  struct partition {
    tally paid, shipments;
    tally delivered, concluded;
    tally packages_paid, packages;
    std::uint64_t open_orders = 0, open_shipments = 0;
    std::uint64_t packages_arrived = 0, packages_delivered = 0;
    std::uint64_t last_number = 0; ///< Of a shipment.
  };

  std::uint64_t unfinished = 0; ///< Orders and carts that are still under way.
  std::vector<partition> partitions;

  std::uint64_t customers = 0, orders = 0, paid_orders = 0, failed_orders = 0, open_orders = 0;
  std::uint64_t lines = 0;                   ///< Of paid orders.
  std::uint64_t numbers_broken = 0;          ///< Customers whose orders are not 1, 2, ... n.
  std::uint64_t ledgers_broken = 0;          ///< Customers whose order, payment and account disagree.
  std::uint64_t payments_broken = 0;         ///< Customers whose payments are not those of their orders.
  std::uint64_t counts_broken = 0;           ///< Customers whose counts are not those of their orders.
  std::uint64_t carts_broken = 0;            ///< Customers with another number of checkouts than orders.
  std::uint64_t statuses_broken = 0;         ///< Open orders whose shipment disagrees, or has none.
  std::uint64_t steps = 0, steps_broken = 0; ///< Of orders' histories and of what sellers hear.
  money order_total{}, payment_total{}, spent{}, revenue{}, provider_balance{};
  tally parts_invoiced, parts_paid, parts_delivered;                  ///< By the orders.
  tally invoices, invoices_paid, invoices_concluded, invoices_voided; ///< By the sellers.

  std::uint64_t products = 0, units_sold = 0;
  std::uint64_t units_ordered_checksum = 0, units_sold_checksum = 0;
  std::uint64_t stocks_broken = 0; ///< That break supplied = available + confirmed.
  std::uint64_t stocks_oversold = 0;
  std::uint64_t stocks_reserved = 0; ///< With units that nobody will settle.
  std::uint64_t versions_broken = 0; ///< Stocks or list prices that differ from their product.
  std::uint64_t sellers = 0, dashboards_wrong = 0;
  std::uint64_t journals = 0;                               ///< Of orders that were read again.
  std::uint64_t journals_differ = 0;                        ///< That give another state than the actor has.
  std::uint64_t journals_delivered = 0, journals_steps = 0; ///< Delivered orders, and records of a delivery.
  std::uint64_t probes = 0; ///< Requests that were repeated before the rest was looked at.
};

/// Repeats requests that were answered long ago; nothing may change by that.
std::uint64_t repeat_old_requests(const marketplace_shop& shop);

/// Asks every actor. Requires a marketplace at rest; otherwise `unfinished` may not be 0.
market_findings look_into(const marketplace_shop& shop);

/// Reads the journals of some orders behind their actors' backs. Requires a marketplace at rest.
void read_journals(const marketplace_shop& shop, troupe::journal_store& store, market_findings& f);

/// The criteria of the benchmark, and TPC-C's consistency conditions as far as they have a counterpart here.
void append_market_invariants(report& r, const market_findings& f,
                              const std::vector<std::shared_ptr<driver_book>>& books, const marketplace_plan& plan);

} // namespace order_simulation
