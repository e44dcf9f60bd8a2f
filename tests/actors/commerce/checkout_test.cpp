// SPDX-License-Identifier: BSD-3-Clause
// Claims: a checkout has all its effects once, or none. Observed: in the states of every actor that takes part.
#include <troupe/testing/probe.hpp>

#include "small_shop.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace troupe::commerce;
using namespace std::chrono_literals;

TEST_CASE("cart: refuses what does not belong into it") {
  small_shop shop;
  const auto& c = shop.carts[0];
  CHECK(shop.ask(c, add_item{1, shop.line(1, 1)}) == cart_answer::added);
  CHECK(shop.ask(c, add_item{1, shop.line(1, 1)}) == cart_answer::in_cart_already);
  CHECK(shop.ask(c, add_item{1, shop.line(1, 2, 0)}) == cart_answer::bad_quantity);
  CHECK(shop.ask(c, add_item{2, shop.line(1, 2)}) == cart_answer::other_session);
  shop.ask(c, abandon_cart{2});
  CHECK(shop.ask(c, cart_query{}).items.size() == 1);
  shop.ask(c, abandon_cart{1});
  CHECK(shop.ask(c, cart_query{}).items.empty());
  CHECK(shop.ask(c, add_item{1, shop.line(1, 1)}) == cart_answer::session_over);
  CHECK(shop.check_out(1, 3, 3).verdict == checkout_verdict::nothing_to_buy);
}

TEST_CASE("cart: holds a bounded number of lines") {
  small_shop shop{{.sellers = 33, .products = 2}};
  for (std::uint32_t i = 0; i < 66; ++i) {
    const auto answer = shop.ask(shop.carts[0], add_item{1, shop.line(i / 2 + 1, i % 2 + 1)});
    CHECK(answer == (i < order_lines_max ? cart_answer::added : cart_answer::full));
  }
  const auto bought = shop.check_out(1, 1, 1);
  CHECK(bought.verdict == checkout_verdict::accepted);
  CHECK(bought.lines.size() == order_lines_max);
}

TEST_CASE("checkout: sells, pays, invoices and ships all lines and answers a repetition as before") {
  small_shop shop;
  const std::vector lines{shop.line(1, 1, 2), shop.line(1, 2, 1), shop.line(2, 1, 3)};
  const auto bought = shop.buy(1, 10, lines);
  REQUIRE(bought.verdict == checkout_verdict::accepted);
  CHECK(bought.order == order_key{{1}, 1});
  CHECK(bought.total == money{6'150});
  CHECK(bought.lines == lines);
  const auto again = shop.check_out(1, 10, 10);
  CHECK(again.repeated);
  CHECK(again.verdict == checkout_verdict::accepted);
  CHECK(again.order == bought.order);
  CHECK(again.total == bought.total);
  const auto placed = shop.ask(shop.orders[0], place_order{10, payment_method::credit_card, lines});
  CHECK(placed.verdict == checkout_verdict::accepted);
  CHECK(placed.order == bought.order);

  CHECK(shop.ask(shop.stock_of(2, 1), stock_query{}).available == 97);
  CHECK(shop.ask(shop.stock_of(2, 1), stock_query{}).reserved == 0);
  const auto paid = shop.ask(shop.payments[0], payment_query{});
  CHECK(paid.total == money{6'150});
  CHECK(paid.lines == 1);
  CHECK(shop.ask(shop.customers[0], customer_query{}).spent == money{6'150});
  CHECK(shop.ask(shop.sellers[0], seller_query{}).revenue == money{3'100});
  CHECK(shop.ask(shop.sellers[1], seller_query{}).revenue == money{3'050});
  const auto o = shop.ask(shop.orders[0], order_query{});
  REQUIRE(o.open.size() == 1);
  CHECK(o.open[0].status == order_status::ready_for_shipment);
  CHECK(o.open[0].changes == 3);
  CHECK(o.history_broken == 0);
  const auto s = shop.ask(shop.shipments[1], shipment_query{}); // customer 1 of 2 partitions
  REQUIRE(s.open.size() == 1);
  CHECK(s.open[0].packages.size() == 3);
  CHECK(s.freight == money{150});
  CHECK(shop.provider_ledger().approved == 1);
  CHECK(shop.provider_ledger().balance == money{6'150});
}

TEST_CASE("checkout: lines that are out of stock are left out and a cart of such lines is kept") {
  small_shop shop{{.stock_each = 5}};
  const auto partly = shop.buy(1, 1, {shop.line(1, 1, 5), shop.line(2, 1, 6)});
  REQUIRE(partly.verdict == checkout_verdict::accepted);
  CHECK(partly.lines.size() == 1);
  const auto none = shop.buy(2, 2, {shop.line(1, 1, 1)});
  CHECK(none.verdict == checkout_verdict::out_of_stock);
  CHECK(shop.check_out(2, 2, 2).repeated);
  CHECK(shop.ask(shop.orders[1], order_query{}).last_number == 0);
  CHECK(shop.ask(shop.carts[1], cart_query{}).items.size() == 1);
  shop.ask(shop.stock_of(1, 1), restock{99, 1});
  CHECK(shop.check_out(2, 3, 2).verdict == checkout_verdict::accepted);
}

TEST_CASE("checkout: many customers of the last units sell exactly what there is") {
  small_shop shop{{.customers = 20, .stock_each = 7}};
  std::vector<troupe::reply<checkout_answer>> answers;
  for (std::uint32_t c = 0; c < 20; ++c) {
    shop.carts[c].tell(add_item{c + 1, shop.line(1, 1, 1)});
    answers.push_back(shop.carts[c].ask(checkout{c + 1, c + 1, payment_method::boleto}, 30s));
  }
  int sold = 0;
  for (auto& a : answers)
    sold += std::move(a).get().verdict == checkout_verdict::accepted ? 1 : 0;
  CHECK(sold == 7);
  const auto s = shop.ask(shop.stock_of(1, 1), stock_query{});
  CHECK(s.available == 0);
  CHECK(s.reserved == 0);
  CHECK(s.confirmed == 7);
}

TEST_CASE("checkout: takes the price of the list and makes up for a rise by a voucher") {
  small_shop shop;
  (void)shop.ask(shop.carts[0], add_item{1, shop.line(1, 1, 2)});
  (void)shop.ask(shop.carts[0], add_item{1, shop.line(1, 2, 1)});
  (void)shop.ask(shop.product_of(1, 1), update_price{91, {1'200}});
  (void)shop.ask(shop.product_of(1, 2), update_price{92, {600}});
  const auto bought = shop.check_out(1, 1, 1);
  REQUIRE(bought.lines.size() == 2);
  CHECK(bought.lines[0].unit_price == money{1'200});
  CHECK(bought.lines[0].voucher == money{400});
  CHECK(bought.lines[1].unit_price == money{600});
  CHECK(bought.total == money{2'700});
  CHECK(shop.ask(shop.payments[0], payment_query{}).lines == 2); // the card and a voucher
}

TEST_CASE("checkout: a declined payment frees the units and voids the invoices") {
  small_shop shop{{.provider = {.declined = 1.0}}};
  const auto refused = shop.buy(1, 1, {shop.line(1, 1, 2), shop.line(2, 1, 1)});
  CHECK(refused.verdict == checkout_verdict::payment_refused);
  CHECK(refused.order == order_key{{1}, 1});
  CHECK(shop.check_out(1, 1, 1).repeated);
  const auto s = shop.ask(shop.stock_of(1, 1), stock_query{});
  CHECK(s.available == 100);
  CHECK(s.reserved == 0);
  CHECK(shop.ask(shop.sellers[0], seller_query{}).entries.empty());
  CHECK(shop.ask(shop.sellers[0], seller_query{}).voided.count == 1);
  CHECK(shop.ask(shop.customers[0], customer_query{}).failed_payments == 1);
  const auto o = shop.ask(shop.orders[0], order_query{});
  CHECK(o.failed.count == 1);
  CHECK(o.open.empty());
  CHECK(o.last_number == 1);
  CHECK(shop.ask(shop.shipments[1], shipment_query{}).shipments.count == 0);
}

TEST_CASE(
    "order: what a failed payment calls for is done after a restart, too, though nobody asks for the order again") {
  small_shop shop{{.customers = 1, .provider = {.declined = 1.0}}};
  troupe::probe_for<stock_ref> stock{shop.sys, "stock"};
  stock.answer<reserve_units>([](const reserve_units&) { return stock_answer::in_stock; });
  stock.answer<cancel_reservation>(
      [](const cancel_reservation&) -> settlement { throw std::runtime_error{"not now"}; });
  stock.ignore<cancel_reservation>();
  shop.who->set(product_key{{1}, 1}, shop.product_of(1, 1), stock.address());
  const auto group = shop.sys.supervise("buyers", {.backoff = shop.pause});
  const std::shared_ptr<const directory> known = shop.who;
  const auto buyer = group.start<order>("order", shop.child, customer_id{2}, known);
  shop.who->set(customer_id{2},
                {shop.carts[0], buyer,
                 group.start<payment>("payment", shop.child, customer_id{2}, provider_ref{shop.provider}),
                 shop.customers[0]});
  buyer.tell(place_order{1, payment_method::credit_card, {shop.line(1, 1)}});
  shop.sys.advance(500ms);
  REQUIRE(shop.ask(buyer, order_query{}).open.size() == 1);
  group.stop("order").get();
  group.restart("order").get();
  stock.answer<cancel_reservation>([](const cancel_reservation&) { return settlement::done; });
  shop.sys.advance(1min);
  const auto o = shop.ask(buyer, order_query{});
  CHECK(o.open.empty());
  CHECK(o.failed.count == 1);
}

TEST_CASE("payment: a provider slower than its deadline is refused and refunded") {
  small_shop shop{{.provider = {.slow = 1.0, .delay = 10s}, .patience = {.attempts = 2, .timeout = 100ms}}};
  // The first charge takes the money and answers too late; its repetition is answered at once.
  const auto paid = shop.buy(1, 1, {shop.line(1, 1)});
  CHECK(paid.verdict == checkout_verdict::payment_refused);
  shop.sys.advance(20s);
  const auto p = shop.ask(shop.payments[0], payment_query{});
  CHECK(p.abandoned == 1);
  CHECK(p.refunds == 1);
  CHECK(shop.provider_ledger().refunded == 1);
  CHECK(shop.provider_ledger().balance == money{});
  CHECK(shop.ask(shop.stock_of(1, 1), stock_query{}).available == 100);
}

TEST_CASE("payment: a slow provider within the deadline only takes its time") {
  small_shop shop{{.provider = {.slow = 1.0, .delay = 400ms}}};
  const auto begin = shop.sys.now();
  CHECK(shop.buy(1, 1, {shop.line(1, 1)}).verdict == checkout_verdict::accepted);
  CHECK(shop.sys.now() - begin == 400ms);
}

TEST_CASE("shop: actors that know each other through one directory keep nothing alive once stopped") {
  std::weak_ptr<directory> left;
  {
    small_shop shop;
    (void)shop.buy(1, 1, {shop.line(1, 1)});
    left = shop.who;
  }
  CHECK(left.expired());
}

TEST_CASE("cart: of two requests for one checkout the prices of the first count") {
  cart_state s;
  cart::apply(s, items_added{1, {order_line{}}});
  for (const std::int64_t cents : {100, 200}) {
    checkout_begun begun{1, payment_method::credit_card, {}};
    begun.quotes.push_back({0, {cents}, true});
    cart::apply(s, begun);
  }
  REQUIRE(s.quotes.size() == 1);
  CHECK(s.quotes[0].price == money{100});
}

TEST_CASE("cart: many items come at once, and those that one alone would not be are left out") {
  small_shop shop;
  const auto& c = shop.carts[0];
  CHECK(shop.ask(c, add_items{1, {shop.line(1, 1), shop.line(1, 1), shop.line(2, 1, 0), shop.line(2, 2)}}) == 2);
  CHECK(shop.ask(c, add_items{1, {shop.line(1, 1)}}) == 0);
  CHECK(shop.ask(c, add_items{2, {shop.line(3, 1)}}) == 0);
  CHECK(shop.ask(c, cart_query{}).items.size() == 2);
}
