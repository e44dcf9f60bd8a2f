// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/latency_histogram.hpp>

#include <troupe/system.hpp>

#include "crash_plan.hpp"
#include "order_log.hpp"
#include "replay_oracle.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace order_simulation {

class clerk;
class line_stock;
class order_stock;

/// Sums over rows that have been answered.
struct replay_totals {
  std::int64_t accepted = 0; ///< Sale rows, or orders with sale rows.
  std::int64_t rejected = 0; ///< As above.
  std::int64_t accepted_units = 0;
  std::int64_t rejected_units = 0;
  std::int64_t accepted_amount_milli = 0;
  std::int64_t returned_units = 0;

  replay_totals& operator+=(const replay_totals& x) {
    accepted += x.accepted;
    rejected += x.rejected;
    accepted_units += x.accepted_units;
    rejected_units += x.rejected_units;
    accepted_amount_milli += x.accepted_amount_milli;
    returned_units += x.returned_units;
    return *this;
  }

  bool operator==(const replay_totals&) const = default;
};

/// What a stock actor says of itself at the end of a replay.
struct stock_figures {
  std::int64_t available = 0;
  std::int64_t sold = 0;
  std::int64_t returned = 0;
  std::int64_t amount_milli = 0; ///< Of what was sold; rule line only.
  std::uint64_t taken = 0;       ///< Rows, or parts of orders, that it has handled.
  std::uint64_t misplaced = 0;   ///< Of these, those that came before one that stands earlier in the file.
  std::uint64_t waiting = 0;     ///< Of these, those whose order is not decided.
};

/// How many lines (rule line) or orders (rule order) the clerk has under way at once. Everything in a replay is bounded
/// by it: the mailboxes below are as large as it makes them necessary, and hence never full.
inline constexpr std::size_t lines_in_flight_max = 2048;
inline constexpr std::size_t orders_in_flight_max = 128;

/// Who works in a replay. Filled before the first message is sent, and immutable from then on but for what is atomic.
/// Outlives the system.
struct replay_staff {
  const order_log& log;
  replay_rule rule;
  const crash_plan& plan;

  // -- immutable while the replay runs --
  std::vector<troupe::ref<line_stock>> lines{};  ///< Rule line: by stock code.
  std::vector<troupe::ref<order_stock>> parts{}; ///< Rule order: by stock code.
  troupe::ref<clerk> desk{};
  troupe::supervisor orders{}; ///< Rule order: of the order actors.

  // -- the clerk only; others after the shutdown --
  troupe::analytics::latency_histogram latencies{};

  // -- atomic --
  std::atomic<std::uint64_t> refused{
      0}; ///< Messages that did not fit where they must: always 0, or the replay is wrong.

  /// Sends what must arrive.
  template <class Actor, class Message>
  void tell(const troupe::ref<Actor>& to, const Message& message) {
    if (to.tell(message) != troupe::delivery::accepted)
      refused.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
  }
};

} // namespace order_simulation
