// SPDX-License-Identifier: BSD-3-Clause
// Claims: stock never oversells, and every message has its effect once. Observed: by its answers and its state.
#include "small_shop.hpp"

#include <doctest/doctest.h>

using namespace troupe::commerce;

TEST_CASE("stock: reserves up to what is available and no more") {
  small_shop shop{{.stock_each = 5}};
  const auto& s = shop.stock_of(1, 1);
  CHECK(shop.ask(s, reserve_units{1, 0, 3}) == stock_answer::in_stock);
  CHECK(shop.ask(s, reserve_units{2, 0, 3}) == stock_answer::out_of_stock);
  CHECK(shop.ask(s, reserve_units{3, 0, 2}) == stock_answer::in_stock);
  CHECK(shop.ask(s, reserve_units{4, 0, 0}) == stock_answer::out_of_stock);
  CHECK(shop.ask(s, reserve_units{5, 9, 1}) == stock_answer::unavailable);
  const auto state = shop.ask(s, stock_query{});
  CHECK(state.available == 5);
  CHECK(state.reserved == 5);
}

TEST_CASE("stock: a repeated reservation or settlement has one effect and the same answer") {
  small_shop shop{{.stock_each = 10}};
  const auto& s = shop.stock_of(1, 1);
  for (int i = 0; i < 3; ++i)
    CHECK(shop.ask(s, reserve_units{1, 0, 4}) == stock_answer::in_stock);
  CHECK(shop.ask(s, stock_query{}).reserved == 4);
  for (int i = 0; i < 3; ++i)
    CHECK(shop.ask(s, confirm_reservation{1}) == settlement::done);
  CHECK(shop.ask(s, cancel_reservation{1}) == settlement::opposite);
  CHECK(shop.ask(s, reserve_units{1, 0, 4}) == stock_answer::in_stock);
  auto state = shop.ask(s, stock_query{});
  CHECK(state.available == 6);
  CHECK(state.reserved == 0);
  CHECK(state.confirmed == 4);
  CHECK(shop.ask(s, reserve_units{2, 0, 6}) == stock_answer::in_stock);
  for (int i = 0; i < 3; ++i)
    CHECK(shop.ask(s, cancel_reservation{2}) == settlement::done);
  CHECK(shop.ask(s, confirm_reservation{2}) == settlement::opposite);
  CHECK(shop.ask(s, reserve_units{2, 0, 6}) == stock_answer::unavailable);
  state = shop.ask(s, stock_query{});
  CHECK(state.available == 6);
  CHECK(state.reserved == 0);
}

TEST_CASE("stock: a cancellation that overtakes its reservation refuses it") {
  small_shop shop;
  const auto& s = shop.stock_of(1, 1);
  CHECK(shop.ask(s, cancel_reservation{7}) == settlement::unknown);
  CHECK(shop.ask(s, reserve_units{7, 0, 1}) == stock_answer::unavailable);
  CHECK(shop.ask(s, confirm_reservation{8}) == settlement::unknown);
  CHECK(shop.ask(s, stock_query{}).reserved == 0);
}

TEST_CASE("stock: restocks and versions count once and late versions are ignored") {
  small_shop shop{{.stock_each = 1}};
  const auto& s = shop.stock_of(1, 1);
  for (int i = 0; i < 2; ++i)
    shop.ask(s, restock{5, 10});
  for (const auto& v : {set_stock_version{50, 2}, set_stock_version{40, 1}, set_stock_version{50, 2}})
    shop.ask(s, v);
  const auto state = shop.ask(s, stock_query{});
  CHECK(state.available == 11);
  CHECK(state.supplied == 11);
  CHECK(state.version == 50);
}

TEST_CASE("stock: opens with nothing negative") {
  small_shop shop;
  CHECK_THROWS_AS((void)shop.sys.spawn<stock>(product_key{{9}, 9}, std::int64_t{-1}), std::invalid_argument);
}
