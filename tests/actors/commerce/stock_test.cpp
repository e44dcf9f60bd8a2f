// SPDX-License-Identifier: BSD-3-Clause
// Claims: stock never oversells, and every message has its effect once. Observed: by its answers and its state, alone on a
// stage.
#include <troupe/commerce/stock.hpp>

#include <troupe/testing/solo.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>

using namespace troupe::commerce;

namespace {

constexpr product_key item{{1}, 1};

} // namespace

TEST_CASE("stock: reserves up to what is available and no more") {
  troupe::stage world;
  troupe::solo<stock> s{world, item, std::int64_t{5}};
  CHECK(s.ask(reserve_units{1, 0, 3}) == stock_answer::in_stock);
  CHECK(s.ask(reserve_units{2, 0, 3}) == stock_answer::out_of_stock);
  CHECK(s.ask(reserve_units{3, 0, 2}) == stock_answer::in_stock);
  CHECK(s.ask(reserve_units{4, 0, 0}) == stock_answer::out_of_stock);
  CHECK(s.ask(reserve_units{5, 9, 1}) == stock_answer::unavailable);
  const auto state = s.ask(stock_query{});
  CHECK(state.available == 5);
  CHECK(state.reserved == 5);
}

TEST_CASE("stock: a repeated reservation or settlement has one effect and the same answer") {
  troupe::stage world;
  troupe::solo<stock> s{world, item, std::int64_t{10}};
  for (int i = 0; i < 3; ++i)
    CHECK(s.ask(reserve_units{1, 0, 4}) == stock_answer::in_stock);
  CHECK(s.ask(stock_query{}).reserved == 4);
  for (int i = 0; i < 3; ++i)
    CHECK(s.ask(confirm_reservation{1}) == settlement::done);
  CHECK(s.ask(cancel_reservation{1}) == settlement::opposite);
  CHECK(s.ask(reserve_units{1, 0, 4}) == stock_answer::in_stock);
  auto state = s.ask(stock_query{});
  CHECK(state.available == 6);
  CHECK(state.reserved == 0);
  CHECK(state.confirmed == 4);
  CHECK(s.ask(reserve_units{2, 0, 6}) == stock_answer::in_stock);
  for (int i = 0; i < 3; ++i)
    CHECK(s.ask(cancel_reservation{2}) == settlement::done);
  CHECK(s.ask(confirm_reservation{2}) == settlement::opposite);
  CHECK(s.ask(reserve_units{2, 0, 6}) == stock_answer::unavailable);
  state = s.ask(stock_query{});
  CHECK(state.available == 6);
  CHECK(state.reserved == 0);
}

TEST_CASE("stock: a cancellation that overtakes its reservation refuses it") {
  troupe::stage world;
  troupe::solo<stock> s{world, item, std::int64_t{100}};
  CHECK(s.ask(cancel_reservation{7}) == settlement::unknown);
  CHECK(s.ask(reserve_units{7, 0, 1}) == stock_answer::unavailable);
  CHECK(s.ask(confirm_reservation{8}) == settlement::unknown);
  CHECK(s.ask(stock_query{}).reserved == 0);
}

TEST_CASE("stock: restocks and versions count once and late versions are ignored") {
  troupe::stage world;
  troupe::solo<stock> s{world, item, std::int64_t{1}};
  for (int i = 0; i < 2; ++i)
    s.ask(restock{5, 10});
  for (const auto& v : {set_stock_version{50, 2}, set_stock_version{40, 1}, set_stock_version{50, 2}})
    s.ask(v);
  const auto state = s.ask(stock_query{});
  CHECK(state.available == 11);
  CHECK(state.supplied == 11);
  CHECK(state.version == 50);
}

TEST_CASE("stock: opens with nothing negative") {
  troupe::stage world;
  CHECK_THROWS_AS((troupe::solo<stock>{world, item, std::int64_t{-1}}), std::invalid_argument);
}
