// SPDX-License-Identifier: BSD-3-Clause
// Claim: an ask that expires is blamed on a circle of asks exactly if it is part of one in which somebody is blocked.
// Observed as a table of small graphs.
#include <troupe/testing/ask_circle.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using troupe::detail::ask_circle;
using troupe::detail::pending_ask;

using ids = std::vector<std::uint64_t>;

TEST_CASE("ask circle: as the table says") {
  struct row {
    const char* what;
    std::vector<pending_ask> asks;
    ids circle;
  };
  const row rows[] = {
      {"nobody asks", {}, {}},
      {"a chain", {{1, 2, true, true}, {2, 3, true, false}}, {}},
      {"an actor asks itself", {{1, 1, true, true}}, {1}},
      {"two ask each other", {{1, 2, true, true}, {2, 1, true, true}}, {1, 2}},
      {"one of them blocked is enough", {{1, 2, false, true}, {2, 1, true, false}}, {1, 2}},
      {"nobody is blocked", {{1, 2, false, true}, {2, 1, false, true}}, {}},
      {"nothing expires", {{1, 2, true, false}, {2, 1, true, false}}, {}},
      {"three, with dead ends on the way",
       {{1, 4, true, false}, {1, 2, true, true}, {2, 4, true, false}, {2, 3, true, false}, {3, 1, true, false}},
       {1, 2, 3}},
      {"what expires leads into a circle, but is not on it",
       {{1, 2, true, true}, {2, 3, true, false}, {3, 2, true, false}},
       {}},
      {"the way without anybody blocked does not hide the other",
       {{1, 2, false, true}, {2, 1, false, false}, {2, 3, false, false}, {3, 1, true, false}},
       {1, 2, 3}},
      {"the same actor by two ways",
       {{1, 2, false, true},
        {1, 3, false, false},
        {2, 4, false, false},
        {2, 5, false, false},
        {5, 4, true, false},
        {4, 1, false, false}},
       {1, 2, 5, 4}},
  };
  for (const auto& r : rows) {
    CAPTURE(std::string{r.what});
    CHECK(ask_circle(r.asks) == r.circle);
    auto reversed = r.asks;
    std::reverse(reversed.begin(), reversed.end());
    CHECK(ask_circle(reversed) == r.circle);
  }
}
