// SPDX-License-Identifier: BSD-3-Clause
#include "marketplace_audit.hpp"

#include "ask_all.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <unordered_map>

namespace order_simulation {

namespace {

using namespace troupe::commerce;

constexpr std::size_t probed_customers = 1'000;

struct open_delivery {
  shipment_status status{};
  std::uint64_t arrived = 0;
};

/// All customers' orders, with what belongs to one customer held against each other.
class customer_audit {
public:
  customer_audit(const marketplace_shop& shop, market_findings& f) : shop_{shop}, f_{f} {}

  void run() {
    look_at_shipments();
    orders_.resize(shop_.orders.size());
    ask_all(shop_.orders, order_query{}, [&](std::size_t i, order_state s) { take(i, s); });
    ask_all(shop_.payments, payment_query{}, [&](std::size_t i, const payment_state& s) { take(i, s); });
    ask_all(shop_.customers, customer_query{}, [&](std::size_t i, const customer_state& s) { take(i, s); });
    ask_all(shop_.carts, cart_query{}, [&](std::size_t i, const cart_state& s) {
      f_.unfinished += s.sent != 0 ? 1 : 0;
      f_.carts_broken += s.checkouts != orders_[i].paid.count ? 1 : 0;
    });
  }

private:
  /// What the other actors of a customer are compared with.
  struct known_orders {
    tally paid, failed;
    money total{};
    std::uint64_t arrived = 0;
  };

  void look_at_shipments() {
    f_.partitions.resize(shop_.partitions.size());
    ask_all(shop_.partitions, shipment_query{}, [&](std::size_t i, const shipment_state& s) {
      auto& p = f_.partitions[i];
      p.shipments = s.shipments;
      p.concluded = s.concluded;
      p.packages = s.packages;
      p.packages_delivered = s.delivered;
      p.open_shipments = s.open.size();
      p.last_number = s.last_number;
      f_.unfinished += s.untold.size();
      for (const auto& x : s.open)
        deliveries_[hash_of(x.order)] = {x.status, static_cast<std::uint64_t>(std::popcount(x.delivered))};
    });
  }

  void take(std::size_t i, const order_state& s) {
    const customer_id who{static_cast<std::uint32_t>(i + 1)};
    auto& p = f_.partitions[shop_.directory->partition_of(who)];
    auto& known = orders_[i];
    known = {s.paid, s.failed, s.paid_total, s.packages_delivered};
    for (const auto& r : s.open) {
      ++f_.open_orders;
      if (r.status < order_status::ready_for_shipment || r.status == order_status::payment_failed) {
        ++f_.unfinished;
        continue;
      }
      ++p.open_orders;
      const auto found = deliveries_.find(hash_of(order_key{who, r.number}));
      const auto expected = r.status == order_status::ready_for_shipment ? shipment_status::approved
                                                                         : shipment_status::delivery_in_progress;
      if (found == deliveries_.end() || found->second.status != expected)
        ++f_.statuses_broken;
      else
        known.arrived += found->second.arrived;
    }
    ++f_.customers;
    f_.orders += s.last_number;
    f_.paid_orders += s.paid.count;
    f_.failed_orders += s.failed.count;
    f_.lines += s.packages_paid.count;
    f_.numbers_broken += s.invoiced.count != s.last_number || s.paid.count + s.failed.count != s.last_number ? 1 : 0;
    f_.steps += s.history_entries;
    f_.steps_broken += s.out_of_order + s.history_broken;
    f_.order_total += s.paid_total;
    f_.parts_invoiced += s.parts_invoiced;
    f_.parts_paid += s.parts_paid;
    f_.parts_delivered += s.parts_delivered;
    f_.units_ordered_checksum += s.units_checksum;
    p.paid += s.paid;
    p.delivered += s.delivered;
    p.packages_paid += s.packages_paid;
    p.packages_arrived += known.arrived;
  }

  void take(std::size_t i, const payment_state& s) {
    const auto& o = orders_[i];
    f_.payments_broken += s.paid != o.paid || s.refused != o.failed ? 1 : 0;
    f_.ledgers_broken += s.total != o.total ? 1 : 0;
    f_.payment_total += s.total;
  }

  void take(std::size_t i, const customer_state& s) {
    const auto& o = orders_[i];
    f_.counts_broken +=
        s.payments != o.paid.count || s.failed_payments != o.failed.count || s.deliveries != o.arrived ? 1 : 0;
    f_.ledgers_broken += s.spent != o.total ? 1 : 0;
    f_.spent += s.spent;
  }

  const marketplace_shop& shop_;
  market_findings& f_;
  std::vector<known_orders> orders_;
  std::unordered_map<std::uint64_t, open_delivery> deliveries_; // by hash of the order
};

void look_at_sellers(const marketplace_shop& shop, market_findings& f) {
  struct sold {
    std::uint64_t version;
    money price;
  };
  std::vector<sold> products(shop.products.size());
  ask_all(shop.products, product_query{}, [&](std::size_t i, const product_state& s) {
    products[i] = {s.version, s.price};
    f.versions_broken += s.published != s.revision ? 1 : 0;
    ++f.products;
  });
  ask_all(shop.stocks, stock_query{}, [&](std::size_t i, const stock_state& s) {
    f.stocks_broken += s.supplied != s.available + s.confirmed ? 1 : 0;
    f.stocks_oversold += s.available < 0 || s.reserved < 0 || s.reserved > s.available ? 1 : 0;
    f.stocks_reserved += s.reserved != 0 || !s.held.empty() ? 1 : 0;
    f.versions_broken += s.version != products[i].version ? 1 : 0;
    f.units_sold += static_cast<std::uint64_t>(s.confirmed);
    f.units_sold_checksum += static_cast<std::uint64_t>(s.confirmed) * hash_of(shop.product(i));
  });
  ask_all(shop.sellers, seller_query{}, [&](std::size_t i, const seller_state& s) {
    ++f.sellers;
    f.invoices += s.invoices;
    f.invoices_paid += s.paid;
    f.invoices_concluded += s.concluded;
    f.invoices_voided += s.voided;
    f.revenue += s.revenue;
    f.steps += s.steps;
    f.steps_broken += s.out_of_order;
    f.dashboards_wrong += s.view != view_of(s.entries) ? 1 : 0;
    for (const auto& p : s.prices) {
      const auto& made = products[i * products_per_seller + p.number - 1];
      f.versions_broken += p.version != made.version || p.price != made.price ? 1 : 0;
    }
  });
}

} // namespace

namespace {

/// A round of deliveries whose askers have gone may begin seconds later, when its desk's patience is over, and then what was
/// seen of some is older than what was seen of others. All else that goes on by itself shows in what is unfinished.
void look_whether_shipments_moved(const marketplace_shop& shop, market_findings& f) {
  ask_all(shop.partitions, shipment_query{}, [&](std::size_t i, const shipment_state& s) {
    f.unfinished += s.delivered != f.partitions[i].packages_delivered || !s.untold.empty() ? 1 : 0;
  });
}

} // namespace

market_findings look_into(const marketplace_shop& shop) {
  market_findings f;
  customer_audit{shop, f}.run();
  look_at_sellers(shop, f);
  ask_all(shop.providers, provider_query{},
          [&](std::size_t, const provider_books& b) { f.provider_balance += b.balance; });
  look_whether_shipments_moved(shop, f);
  return f;
}

namespace {

/// Rebuilds one customer's orders from the journal, and counts the records of deliveries.
class order_reader final : public troupe::journal_visitor {
public:
  void snapshot(const troupe::journal_record& r) override { state = *static_cast<const order_state*>(r.value); }
  void event(const troupe::journal_record& r) override {
    take<order_invoiced>(r);
    take<order_refused>(r);
    take<order_progressed>(r);
    take<order_compensated>(r);
    take<order_misordered>(r);
  }
  void handled(const troupe::inbound&) override {}
  void last_sent(std::uint64_t) override {}
  void unsettled(const troupe::outbound&) override {}

  order_state state;

private:
  template <class E>
  void take(const troupe::journal_record& r) {
    if (*r.type->info == typeid(E))
      order::apply(state, *static_cast<const E*>(r.value));
  }
};

} // namespace

void read_journals(const marketplace_shop& shop, troupe::journal_store& store, market_findings& f) {
  static constexpr std::array<const troupe::journal_type*, 6> types{
      &troupe::journal_type_of<order_state>,       &troupe::journal_type_of<order_invoiced>,
      &troupe::journal_type_of<order_refused>,     &troupe::journal_type_of<order_progressed>,
      &troupe::journal_type_of<order_compensated>, &troupe::journal_type_of<order_misordered>};
  store.flush();
  const auto some = std::min(probed_customers, shop.orders.size());
  const std::vector orders(shop.orders.begin(), shop.orders.begin() + static_cast<std::ptrdiff_t>(some));
  ask_all(orders, order_query{}, [&](std::size_t i, const order_state& live) {
    order_reader kept;
    store.open("order/" + std::to_string(i + 1), types)->replay(kept);
    const auto& k = kept.state;
    ++f.journals;
    f.journals_delivered += live.delivered.count;
    f.journals_steps += k.delivered.count;
    f.journals_differ += k.last_number != live.last_number || k.paid != live.paid || k.delivered != live.delivered ||
                                 k.failed != live.failed || k.paid_total != live.paid_total ||
                                 k.open.size() != live.open.size()
                             ? 1
                             : 0;
  });
}

std::uint64_t repeat_old_requests(const marketplace_shop& shop) {
  std::uint64_t repeated = 0;
  const auto some = std::min(probed_customers, shop.orders.size());
  const std::vector orders(shop.orders.begin(), shop.orders.begin() + static_cast<std::ptrdiff_t>(some));
  std::vector<std::uint32_t> last(some);
  ask_all(orders, order_query{}, [&](std::size_t i, const order_state& s) { last[i] = s.last_number; });
  for (std::size_t i = 0; i < some; ++i) {
    if (last[i] == 0)
      continue;
    // Amounts that nobody has paid would show, if any of this had an effect.
    const auto paid = answer_of(shop.payments[i], process_payment{last[i], payment_method::boleto, 0, {1}});
    answer_of(shop.customers[i], note_purchase{last[i], paid == payment_answer::paid, {1}});
    repeated += 2;
  }
  return repeated;
}

} // namespace order_simulation
