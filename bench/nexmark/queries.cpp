// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <bench/nexmark/plans.hpp>

namespace nexmark {

// Published: events per second and core of nexmark/nexmark's reference run on Flink (GUIDE_V1: 100 million events, 8 task
// managers, RocksDB, exactly-once checkpoints).
std::span<const query> queries() {
  static constexpr std::array all{
      query{"q0", "all bids", 155'000, &plans::q0, &loops::q0},
      query{"q1", "prices in another currency", 157'900, &plans::q1, &loops::q1},
      query{"q2", "bids on some auctions", 175'200, &plans::q2, &loops::q2},
      query{"q3", "who sells in some states", 152'100, &plans::q3, &loops::q3},
      query{"q4", "average price by category", 34'300, &plans::q4, &loops::q4},
      query{"q5", "hot items", 22'100, &plans::q5, &loops::q5},
      query{"q6", "average price of a seller's last ten", 0, &plans::q6, &loops::q6},
      query{"q7", "highest bids", 12'300, &plans::q7, &loops::q7},
      query{"q8", "new users who sell", 146'100, &plans::q8, &loops::q8},
      query{"q9", "winning bids", 14'200, &plans::q9, &loops::q9},
      query{"q11", "user sessions", 39'700, &plans::q11, &loops::q11},
      query{"q12e", "bids by bidder and window", 75'700, &plans::q12e, &loops::q12e},
      query{"q14", "calculation", 161'200, &plans::q14, &loops::q14},
      query{"q15", "statistics by day", 72'400, &plans::q15, &loops::q15},
      query{"q16", "statistics by channel and day", 18'700, &plans::q16, &loops::q16},
      query{"q17", "statistics by auction and day", 116'800, &plans::q17, &loops::q17},
      query{"q18", "last bids", 53'700, &plans::q18, &loops::q18},
      query{"q19", "ten highest bids", 44'000, &plans::q19, &loops::q19},
      query{"q20", "bids with their auction", 19'000, &plans::q20, &loops::q20},
      query{"q21", "channel numbers", 98'500, &plans::q21, &loops::q21},
      query{"q22", "directories of URLs", 130'000, &plans::q22, &loops::q22},
  };
  return all;
}

const query* find_query(std::string_view name) {
  if (name == "q12")
    name = "q12e";
  const auto found = std::ranges::find(queries(), name, &query::name);
  return found == queries().end() ? nullptr : &*found;
}

} // namespace nexmark
