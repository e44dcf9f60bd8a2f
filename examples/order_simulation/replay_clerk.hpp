// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journaled_actor.hpp>

#include "replay_staff.hpp"

#include <cstddef>
#include <cstdint>

namespace order_simulation {

/// To the clerk: feed the log, from where it stands.
struct open_intake {};

/// To the clerk: feed nothing more.
struct close_intake {};

/// To the clerk: a line, or an order, has been answered, and what came of it.
struct settlement {
  std::uint64_t item; ///< The row, or the order's number.
  replay_totals totals;
  troupe::time_point fed_at;
};

/// How far the clerk is.
struct replay_progress {
  std::size_t rows_fed = 0; ///< The log up to here has been fed.
  std::uint64_t fed = 0;    ///< Lines or orders.
  std::uint64_t settled = 0;
  bool over = false; ///< Nothing is under way and nothing more will be.
  replay_totals totals{};
  double p50_ms = 0;
  double p99_ms = 0;
};

/// Asks the clerk how far it is.
struct check_progress {
  using reply = replay_progress;
};

struct clerk_state {
  std::size_t next_row = 0;
  std::uint64_t fed = 0;
  std::uint64_t settled = 0;
  bool closed = false;
  replay_totals totals{};
};

/// So many lines or orders, which are so many rows, have been fed.
struct fed_more {
  std::uint64_t items;
  std::size_t rows;
};
struct answered {
  replay_totals totals;
};
struct intake_closed {};

/// Feeds the log to the stock actors in the order of the file and collects the answers. The back-pressure of a replay: it
/// feeds more only as what is under way is answered.
class clerk : public troupe::journaled_actor<clerk, clerk_state, troupe::events<fed_more, answered, intake_closed>,
                                             open_intake, close_intake, settlement, check_progress> {
public:
  explicit clerk(replay_staff* staff);

  effect<> on(const open_intake&);
  effect<> on(const close_intake&);
  effect<> on(const settlement& s);
  replay_progress on(const check_progress&);

  static void apply(clerk_state& s, const fed_more& e);
  static void apply(clerk_state& s, const answered& e);
  static void apply(clerk_state& s, const intake_closed&) { s.closed = true; }

private:
  void note(const settlement& s);
  fed_more next_feed(std::uint64_t under_way) const;
  void feed(const fed_more& f);
  void feed_order(std::span<const order_row> rows, std::uint64_t number);

  replay_staff& staff_;
};

} // namespace order_simulation
