// SPDX-License-Identifier: BSD-3-Clause
// Claims: what an order comes to; which steps may follow each other; what is remembered. Observed: on plain values.
#include <troupe/commerce/cart.hpp>
#include <troupe/commerce/order_line.hpp>
#include <troupe/commerce/order_status.hpp>
#include <troupe/commerce/recent.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace troupe::commerce;

TEST_CASE("order totals: vouchers reduce a line at most to zero and freight is always paid") {
  std::vector<order_line> lines(3);
  lines[0] = {.unit_price = {1'000}, .freight = {50}, .voucher = {300}, .quantity = 2};
  lines[1] = {.unit_price = {100}, .freight = {20}, .voucher = {900}, .quantity = 3};
  lines[2] = {.unit_price = {250}, .freight = {0}, .voucher = {0}, .quantity = 4};
  const auto t = totals_of(lines);
  CHECK(t.items == 3);
  CHECK(t.goods == money{3'300});
  CHECK(t.incentive == money{600});
  CHECK(t.amount == money{2'700});
  CHECK(t.freight == money{70});
  CHECK(t.invoice == money{2'770});
}

TEST_CASE("order status: each step follows exactly one other") {
  using enum order_status;
  const order_status all[] = {invoiced, payment_processed, ready_for_shipment, in_transit, delivered, payment_failed};
  int allowed = 0;
  for (const auto from : all)
    for (const auto to : all)
      allowed += may_follow(from, to) ? 1 : 0;
  CHECK(allowed == 5);
  CHECK(may_follow(invoiced, payment_processed));
  CHECK(may_follow(invoiced, payment_failed));
  CHECK(may_follow(in_transit, delivered));
  CHECK_FALSE(may_follow(invoiced, ready_for_shipment));
  CHECK_FALSE(may_follow(payment_failed, payment_processed));
}

TEST_CASE("recent: the oldest is forgotten first and the newest is found first") {
  recent<int, 3> r;
  CHECK(r.size() == 0);
  for (int i = 1; i <= 5; ++i)
    r.add(i);
  CHECK(r.size() == 3);
  CHECK(r.find([](int i) { return i == 2; }) == nullptr);
  REQUIRE(r.find([](int i) { return i == 3; }) != nullptr);
  CHECK(*r.find([](int i) { return i >= 3; }) == 5);
}

TEST_CASE("cart line: a risen price becomes a voucher and a fallen one is charged") {
  const order_line seen{.version = 7, .unit_price = {1'000}, .voucher = {10}, .quantity = 3};
  const auto risen = at_price(seen, {7, {1'100}, true});
  CHECK(risen.unit_price == money{1'100});
  CHECK(risen.voucher == money{310});
  CHECK(at_price(seen, {7, {900}, true}).unit_price == money{900});
  CHECK(at_price(seen, {7, {900}, true}).voucher == money{10});
  CHECK(at_price(seen, {8, {900}, true}) == seen);
  CHECK(at_price(seen, {7, {900}, false}) == seen);
}

TEST_CASE("tally: equal for the same things in any order") {
  tally a, b, c;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    a.add(hash_of(order_key{{1}, i}));
    b.add(hash_of(order_key{{1}, 101 - i}));
    c.add(hash_of(order_key{{1}, i == 50 ? 51 : i}));
  }
  CHECK(a == b);
  CHECK_FALSE(a == c);
}
