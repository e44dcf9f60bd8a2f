// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>

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

/// Feeds the log to the stock actors in the order of the file and collects the answers. The back-pressure of a replay: it
/// feeds more only as what is under way is answered.
///
/// An answer that comes twice counts once.
class clerk : public troupe::actor<clerk, open_intake, close_intake, settlement, check_progress> {
public:
  explicit clerk(replay_staff* staff);

  void on(const open_intake&);
  void on(const close_intake&);
  void on(const settlement& s);
  replay_progress on(const check_progress&);

private:
  bool is_fed_up() const;
  void feed();
  void feed_line(std::size_t row);
  void feed_order(std::size_t first_row, std::uint64_t number);

  replay_staff& staff_;
};

} // namespace order_simulation
