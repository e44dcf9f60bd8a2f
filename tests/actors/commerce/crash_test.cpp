// SPDX-License-Identifier: BSD-3-Clause
// Claims: whatever fails at whatever step, each order has all its effects once or none. Observed: every handling of a
// message fails with some probability, for many seeds, in simulated time; then the states of all actors must agree.
#include "small_shop.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace troupe::commerce;
using namespace std::chrono_literals;

namespace {

struct shop_sums {
  tally invoiced, paid, shipped, refused;
  tally parts_invoiced, parts_paid, parts_delivered, invoices, invoices_paid, invoices_concluded;
  money orders{}, payments{}, spent{}, revenue{};
  std::uint64_t units_ordered = 0, units_sold = 0;
  std::uint64_t open = 0, wrong = 0;
};

shop_sums sum_up(small_shop& shop) {
  shop_sums s;
  for (std::size_t c = 0; c < shop.orders.size(); ++c) {
    const auto o = shop.ask(shop.orders[c], order_query{});
    const auto p = shop.ask(shop.payments[c], payment_query{});
    const auto u = shop.ask(shop.customers[c], customer_query{});
    const auto k = shop.ask(shop.carts[c], cart_query{});
    s.invoiced += o.invoiced;
    s.paid += o.paid;
    s.parts_invoiced += o.parts_invoiced;
    s.parts_paid += o.parts_paid;
    s.parts_delivered += o.parts_delivered;
    s.orders += o.paid_total;
    s.payments += p.total;
    s.spent += u.spent;
    s.units_ordered += o.units_checksum;
    s.open += o.open.size() + (k.sent != 0 ? 1 : 0);
    s.wrong += o.out_of_order + o.history_broken;
    s.wrong += p.paid != o.paid || p.refused != o.failed || u.payments != o.paid.count ? 1 : 0;
    s.wrong += u.deliveries != o.packages_delivered || k.checkouts != o.paid.count ? 1 : 0;
    s.wrong += o.paid.count + o.failed.count != o.last_number || o.invoiced.count != o.last_number ? 1 : 0;
  }
  for (const auto& x : shop.shipments)
    s.shipped += shop.ask(x, shipment_query{}).shipments;
  for (const auto& x : shop.sellers) {
    const auto v = shop.ask(x, seller_query{});
    s.invoices += v.invoices;
    s.invoices_paid += v.paid;
    s.invoices_concluded += v.concluded;
    s.revenue += v.revenue;
    s.wrong += v.out_of_order + (v.view != view_of(v.entries) ? 1 : 0);
  }
  for (std::uint32_t i = 0; i < shop.stocks.size(); ++i) {
    const auto k = shop.ask(shop.stocks[i], stock_query{});
    const auto m = shop.ask(shop.products[i], product_query{});
    s.units_sold += static_cast<std::uint64_t>(k.confirmed) *
                    hash_of(product_key{{i / shop.options.products + 1}, i % shop.options.products + 1});
    s.wrong += k.supplied != k.available + k.confirmed || k.reserved != 0 || k.available < 0 ? 1 : 0;
    s.wrong += k.version != m.version || m.published != m.revision ? 1 : 0;
  }
  return s;
}

void run_with_failures(double rate, std::uint64_t seed) {
  CAPTURE(rate);
  CAPTURE(seed);
  auto faults = std::make_shared<troupe::fault_injector>(rate, seed);
  small_shop shop{{.customers = 4, .stock_each = 60, .provider = {.declined = 0.2}, .faults = faults, .seed = seed}};
  std::mt19937_64 random{seed};
  transaction_id tid = 0;
  std::uint64_t accepted = 0;
  for (int round = 0; round < 12; ++round) {
    const auto moved = static_cast<std::uint32_t>(random() % 3 + 1);
    if (random() % 3 == 0)
      shop.product_of(moved, 1).tell(replace_product{++tid, {1'100}, {40}});
    std::vector<transaction_id> sessions;
    for (std::uint32_t c = 0; c < 4; ++c) {
      sessions.push_back(++tid);
      for (std::uint32_t s = 1; s <= 3; ++s)
        shop.carts[c].tell(add_item{tid, shop.line(s, static_cast<std::uint32_t>(random() % 2 + 1), 3)});
      shop.carts[c].tell(checkout{tid, tid, payment_method::credit_card}); // all at the same time
    }
    shop.desk.tell(update_deliveries{++tid});
    for (std::uint32_t c = 0; c < 4; ++c) {
      const auto answer = shop.check_out(c + 1, sessions[c], sessions[c]);
      CHECK(answer.verdict != checkout_verdict::unfinished);
      accepted += answer.verdict == checkout_verdict::accepted ? 1 : 0;
      shop.ask(shop.carts[c], abandon_cart{sessions[c]});
    }
  }
  for (int i = 0; i < 60; ++i)
    (void)shop.deliver(++tid);
  shop.sys.advance(30s);
  const auto s = sum_up(shop);
  CHECK(s.wrong == 0);
  CHECK(s.open == 0);
  CHECK(s.paid.count == accepted);
  CHECK(s.paid == s.shipped);
  CHECK(s.parts_invoiced == s.invoices);
  CHECK(s.parts_paid == s.invoices_paid);
  CHECK(s.parts_paid == s.parts_delivered);
  CHECK(s.invoices_concluded == s.parts_delivered);
  CHECK(s.units_ordered == s.units_sold);
  CHECK(s.orders == s.payments);
  CHECK(s.orders == s.spent);
  CHECK(s.orders == s.revenue);
  CHECK(s.orders == shop.provider_ledger().balance);
  shop.sys.advance(1s); // whoever failed at the questions comes back
  const auto books = shop.sys.books();
  CHECK(books.balanced());
  CHECK(books.quarantined == 0);
  CHECK(shop.sys.restarts() == faults->injected());
}

} // namespace

TEST_CASE("commerce: without failures all sums agree") { run_with_failures(0.0, 1); }

TEST_CASE("commerce: all sums agree after rare failures") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    run_with_failures(0.01, seed);
}

TEST_CASE("commerce: all sums agree after frequent failures") {
  for (std::uint64_t seed = 101; seed <= 160; ++seed)
    run_with_failures(0.1, seed);
}

TEST_CASE("commerce: all sums agree when every third handling fails") {
  for (std::uint64_t seed = 201; seed <= 220; ++seed)
    run_with_failures(0.33, seed);
}
