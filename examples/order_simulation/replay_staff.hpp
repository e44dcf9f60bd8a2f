// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/latency_histogram.hpp>

#include <troupe/journal/format.hpp>
#include <troupe/system.hpp>

#include "acknowledgements.hpp"
#include "crash_plan.hpp"
#include "order_log.hpp"
#include "replay_oracle.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string_view>
#include <utility>
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

  TROUPE_JSON(replay_totals, accepted, rejected, accepted_units, rejected_units, accepted_amount_milli, returned_units)

  replay_totals& operator-=(const replay_totals& x) {
    accepted -= x.accepted;
    rejected -= x.rejected;
    accepted_units -= x.accepted_units;
    rejected_units -= x.rejected_units;
    accepted_amount_milli -= x.accepted_amount_milli;
    returned_units -= x.returned_units;
    return *this;
  }
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
  TROUPE_JSON(stock_figures, available, sold, returned, amount_milli, taken, misplaced, waiting)
};

/// How many lines (rule line) or orders (rule order) the clerk has under way at once. Everything in a replay is bounded
/// by it: the mailboxes below are as large as it makes them necessary, and hence never full.
inline constexpr std::size_t lines_in_flight_max = 2048;
inline constexpr std::size_t orders_in_flight_max = 128;

/// Each failure of an order or a stock actor makes the others say again what they have said to it, to whoever is slow to
/// handle that: mailboxes have room for so many repetitions.
inline constexpr std::size_t repetitions_max = 16;

/// How far the clerk is. It is the world outside: it stays when the clerk fails, and the next process finds it again in what
/// the stock actors have kept (replay_recovery.hpp).
struct replay_book {
  std::size_t next_row = 0;     ///< The log up to here has been fed.
  std::uint64_t next_order = 0; ///< Rule order: the number of the order there.
  std::uint64_t fed = 0;        ///< Lines or orders.
  std::uint64_t settled = 0;
  bool closed = false;
  replay_totals totals{};
  std::set<std::uint64_t> under_way{};       ///< Rows, or numbers of orders.
  std::vector<std::uint32_t> booked_below{}; ///< Rule line, by stock code: rows that an earlier process has booked.
  std::deque<std::pair<std::uint64_t, std::size_t>>
      again{}; ///< Rule order: unfinished orders of earlier processes, with their first rows.

  /// All orders below are settled.
  std::uint64_t settled_below() const {
    const std::uint64_t first = again.empty() ? next_order : again.front().first;
    return under_way.empty() ? first : std::min(first, *under_way.begin());
  }
};

/// Who works in a replay. Filled before the first message is sent, and immutable from then on but for what is atomic.
/// Outlives the system.
struct replay_staff {
  const order_log& log;
  replay_rule rule;
  const crash_plan& plan;
  acknowledgements& told;
  std::uint64_t life = 1; ///< The number of this process among those of the run.

  // -- immutable while the replay runs --
  std::vector<troupe::ref<line_stock>> lines{};  ///< Rule line: by stock code.
  std::vector<troupe::ref<order_stock>> parts{}; ///< Rule order: by stock code.
  troupe::ref<clerk> desk{};
  troupe::supervisor orders{}; ///< Rule order: of the order actors.

  /// Is told what is settled: the row, or the order's number, and whether it was accepted. By the clerk; empty: nobody.
  std::function<void(std::uint64_t item, bool accepted)> on_settled{};
  /// Whether more may be fed. If not, the clerk is told `open_intake` when it may go on. Empty: always.
  std::function<bool()> may_feed{};

  // -- the clerk only; others before its start and after the shutdown --
  replay_book book{};
  troupe::analytics::latency_histogram latencies{};

  // -- atomic --
  std::atomic<std::uint64_t> refused{
      0}; ///< Messages that did not fit where they must: always 0, or the replay is wrong.

  /// Sends what must arrive, unless it is a repetition to somebody who has ended.
  template <class Actor, class Message>
  void tell(const troupe::ref<Actor>& to, const Message& message) {
    if (to.tell(message) == troupe::delivery::rejected)
      refused.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
  }
};

} // namespace order_simulation
