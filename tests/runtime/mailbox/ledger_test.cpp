// SPDX-License-Identifier: BSD-3-Clause
// Claim: the books balance if and only if every accepted message has one outcome, and sums of balanced books balance.
// Observed on values.
#include <troupe/mailbox/ledger.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>

using troupe::ledger;

TEST_CASE("ledger: each outcome counts once against what was accepted") {
  CHECK(ledger{}.balanced());
  constexpr std::array outcomes{&ledger::handled, &ledger::expired, &ledger::dropped, &ledger::quarantined,
                                &ledger::queued};
  for (auto outcome : outcomes) {
    ledger l;
    l.accepted = 3;
    CHECK_FALSE(l.balanced());
    l.*outcome = 3;
    CHECK(l.balanced());
    ++(l.*outcome);
    CHECK_FALSE(l.balanced());
  }
}

TEST_CASE("ledger: what was refused was never accepted") {
  ledger l;
  l.refused = 5;
  CHECK(l.balanced());
}

TEST_CASE("ledger: a sum adds every column") {
  ledger sum{.accepted = 21, .handled = 2, .expired = 3, .dropped = 4, .quarantined = 5, .queued = 7, .refused = 9};
  const ledger more{
      .accepted = 15, .handled = 1, .expired = 2, .dropped = 3, .quarantined = 4, .queued = 5, .refused = 6};
  sum += more;
  CHECK(sum == ledger{36, 3, 5, 7, 9, 12, 15});
  CHECK(sum.balanced());
}
