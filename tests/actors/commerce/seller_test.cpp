// SPDX-License-Identifier: BSD-3-Clause
// Claims: sellers, products and customers note each thing once and in order. Observed: by answers and states.
#include "small_shop.hpp"

#include <doctest/doctest.h>

using namespace troupe::commerce;

namespace {

note_invoice invoice_of(const small_shop& shop, order_key o) {
  return {o, {shop.line(1, 1, 2), shop.line(1, 2, 1)}, 0b101};
}

} // namespace

TEST_CASE("seller: an order's steps in order leave the dashboard when it is delivered") {
  small_shop shop;
  const auto& s = shop.sellers[0];
  const order_key o{{1}, 1};
  const auto invoice = invoice_of(shop, o);
  for (int i = 0; i < 2; ++i)
    CHECK(shop.ask(s, invoice) == seller_answer::noted);
  auto board = shop.ask(s, query_dashboard{});
  CHECK(board.view.orders == 1);
  CHECK(board.view.totals.invoice == money{3'100});
  CHECK(board.view == view_of(board.entries));
  for (int i = 0; i < 2; ++i)
    CHECK(shop.ask(s, note_payment{o}) == seller_answer::noted);
  for (int i = 0; i < 2; ++i)
    shop.ask(s, note_ready{o});
  for (int i = 0; i < 2; ++i)
    shop.ask(s, note_packages{o, 0b100});
  board = shop.ask(s, query_dashboard{});
  REQUIRE(board.entries.size() == 2);
  CHECK_FALSE(board.entries[0].delivered);
  CHECK(board.entries[1].delivered);
  CHECK(board.entries[0].status == order_status::ready_for_shipment);
  CHECK(board.entries[1].status == order_status::in_transit);
  shop.ask(s, note_packages{o, 0b001});
  for (int i = 0; i < 2; ++i)
    shop.ask(s, note_concluded{o});
  CHECK(shop.ask(s, invoice) == seller_answer::noted); // long ago
  const auto state = shop.ask(s, seller_query{});
  CHECK(state.entries.empty());
  CHECK(state.view == seller_view{});
  CHECK(state.revenue == money{3'100});
  CHECK(state.concluded.count == 1);
  CHECK(state.out_of_order == 0);
}

TEST_CASE("seller: a step that comes too early is refused and counted") {
  small_shop shop;
  const auto& s = shop.sellers[0];
  const order_key o{{1}, 1};
  CHECK(shop.ask(s, note_payment{o}) == seller_answer::out_of_order);
  shop.ask(s, note_ready{o});
  shop.ask(s, note_packages{o, 1});
  shop.ask(s, note_concluded{o});
  const auto invoice = invoice_of(shop, o);
  CHECK(shop.ask(s, invoice) == seller_answer::noted);
  shop.ask(s, note_ready{o});
  shop.ask(s, note_concluded{o});
  CHECK(shop.ask(s, seller_query{}).out_of_order == 6);
  CHECK(shop.ask(s, seller_query{}).entries.size() == 2);
}

TEST_CASE("seller: what is told again of an order that is over and forgotten changes nothing") {
  small_shop shop;
  const auto& s = shop.sellers[0];
  for (std::uint32_t n = 1; n <= 70; ++n) {
    const auto invoice = invoice_of(shop, {{1}, n});
    (void)shop.ask(s, invoice);
    (void)shop.ask(s, void_invoice{{{1}, n}});
  }
  const order_key first{{1}, 1};
  CHECK(shop.ask(s, note_payment{first, true}) == seller_answer::noted);
  CHECK(shop.ask(s, void_invoice{first, true}) == seller_answer::noted);
  shop.ask(s, note_ready{first, true});
  shop.ask(s, note_packages{first, 1, true, true});
  shop.ask(s, note_concluded{first, true});
  CHECK(shop.ask(s, seller_query{}).out_of_order == 0);
  CHECK(shop.ask(s, note_payment{first}) == seller_answer::out_of_order);
}

TEST_CASE("seller: a voided invoice leaves no trace in the sums") {
  small_shop shop;
  const auto& s = shop.sellers[0];
  const order_key o{{1}, 1};
  const auto invoice = invoice_of(shop, o);
  (void)shop.ask(s, invoice);
  for (int i = 0; i < 2; ++i)
    CHECK(shop.ask(s, void_invoice{o}) == seller_answer::noted);
  const auto state = shop.ask(s, seller_query{});
  CHECK(state.view == seller_view{});
  CHECK(state.revenue == money{});
  CHECK(state.voided.count == 1);
}

TEST_CASE("seller: begin_anew keeps everything that was noted") {
  small_shop shop;
  const auto& s = shop.sellers[0];
  const auto invoice = invoice_of(shop, {{1}, 1});
  (void)shop.ask(s, invoice);
  s.tell(begin_anew{});
  shop.customers[0].tell(begin_anew{});
  shop.sys.advance(std::chrono::seconds{1});
  CHECK(s.incarnation() == 1);
  CHECK(shop.customers[0].incarnation() == 1);
  CHECK(shop.ask(s, query_dashboard{}).entries.size() == 2);
}

TEST_CASE("product: a price update reaches the list before it is answered and counts once") {
  small_shop shop;
  const auto& p = shop.product_of(1, 2);
  for (int i = 0; i < 2; ++i)
    CHECK(shop.ask(p, update_price{11, {1'500}}).sequence == 1);
  CHECK(shop.ask(shop.product_of(1, 1), update_price{12, {700}}).sequence == 2);
  CHECK(shop.ask(p, update_price{11, {1'500}}).sequence == 1);
  const auto quote = shop.ask(shop.sellers[0], quote_price{2});
  CHECK(quote.price == money{1'500});
  CHECK(quote.version == 0);
  CHECK_FALSE(shop.ask(shop.sellers[0], quote_price{99}).known);
  CHECK(shop.ask(p, product_query{}).revision == 1);
}

TEST_CASE("product: a replacement gives stock and list its version and old carts are refused") {
  small_shop shop;
  for (int i = 0; i < 2; ++i)
    CHECK(shop.ask(shop.product_of(1, 1), replace_product{21, {900}, {10}}).sequence == 1);
  CHECK(shop.ask(shop.stock_of(1, 1), stock_query{}).version == 21);
  CHECK(shop.ask(shop.sellers[0], quote_price{1}).version == 21);
  const auto refused = shop.buy(1, 31, {shop.line(1, 1)});
  CHECK(refused.verdict == checkout_verdict::out_of_stock);
  auto fresh = shop.line(2, 1);
  const auto partly = shop.buy(2, 32, {shop.line(1, 1), fresh});
  REQUIRE(partly.verdict == checkout_verdict::accepted);
  REQUIRE(partly.lines.size() == 1);
  CHECK(partly.lines[0].item.seller.value == 2);
}

TEST_CASE("customer: purchases and arrivals count once") {
  small_shop shop;
  const auto& c = shop.customers[0];
  for (int i = 0; i < 3; ++i) {
    shop.ask(c, note_purchase{1, true, {500}});
    shop.ask(c, note_purchase{2, false, {900}});
    shop.ask(c, note_arrival{1, 0b011});
  }
  shop.ask(c, note_arrival{1, 0b110});
  const auto s = shop.ask(c, customer_query{});
  CHECK(s.payments == 1);
  CHECK(s.failed_payments == 1);
  CHECK(s.deliveries == 3);
  CHECK(s.spent == money{500});
}
