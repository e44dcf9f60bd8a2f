// SPDX-License-Identifier: BSD-3-Clause
// Claim: a key filter holds every key that was added, and denies nearly all others.
// Observed: its answers.
#include <troupe/journal/key_filter.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("key filter: what was added is held, and of what was not very little") {
  constexpr int n = 50'000;
  troupe::key_filter f;
  const auto key = [](int i) { return "order/" + std::to_string(i); };
  int wrong = 0;
  for (int i = 0; i < n; ++i) {
    wrong += f.may_hold(key(i)) ? 1 : 0;
    f.add(key(i));
    f.add(key(i));
    CHECK(f.may_hold(key(i)));
  }
  CHECK(wrong < n / 100);
  for (int i = 0; i < n; ++i)
    CHECK(f.may_hold(key(i)));
}
