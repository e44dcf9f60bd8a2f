// SPDX-License-Identifier: BSD-3-Clause
// Claims: the diary tells what has ended from what has not, across epochs, and through its written form. Pure but for the
// last case, which goes through JSON.

#include <doctest/doctest.h>

#include <order_simulation/marketplace_diary.hpp>

using namespace order_simulation;

TEST_CASE("ended transactions: contains what was added in any order and nothing else") {
  ended_transactions over;
  over.begin_epoch(3);
  for (const std::uint64_t n : {2, 5, 1, 7, 3})
    over.add(ended_transactions::id(4, 3, n));
  for (const std::uint64_t n : {1, 2, 3, 5, 7})
    CHECK(over.contains(ended_transactions::id(4, 3, n)));
  for (const std::uint64_t n : {4, 6, 8})
    CHECK_FALSE(over.contains(ended_transactions::id(4, 3, n)));
}

TEST_CASE("ended transactions: everything of an earlier epoch is over and nothing of a later one") {
  ended_transactions over;
  over.begin_epoch(3);
  CHECK(over.contains(ended_transactions::id(0, 2, 9)));
  CHECK_FALSE(over.contains(ended_transactions::id(0, 3, 1)));
  CHECK_FALSE(over.contains(ended_transactions::id(0, 4, 1)));
}

TEST_CASE("ended transactions: the written form holds what was added") {
  ended_transactions over;
  over.begin_epoch(2);
  over.add(ended_transactions::id(1, 2, 1));
  over.add(ended_transactions::id(1, 2, 3));
  const auto again = nlohmann::json::parse(nlohmann::json(over).dump()).get<ended_transactions>();
  CHECK(again.epoch() == 2);
  CHECK(again.contains(ended_transactions::id(1, 2, 1)));
  CHECK_FALSE(again.contains(ended_transactions::id(1, 2, 2)));
  CHECK(again.contains(ended_transactions::id(1, 2, 3)));
}
