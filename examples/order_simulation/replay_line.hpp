// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journaled_actor.hpp>

#include "replay_staff.hpp"

#include <cstdint>
#include <string>

namespace order_simulation {

/// To a stock actor: decide about one row of the log.
struct book_line {
  std::uint32_t row; ///< Index into the log's rows.
  troupe::time_point fed_at;
};

/// Asks a stock actor of either rule for its figures.
struct inspect_stock {
  using reply = stock_figures;
};

struct line_booked {
  std::uint32_t row = 0;
  std::int32_t quantity = 0;
  std::int64_t amount_milli = 0;
  bool accepted = false;
  static constexpr std::string_view journal_name = "line_booked";
  TROUPE_JSON(line_booked, row, quantity, amount_milli, accepted)
};

struct line_stock_state {
  stock_figures figures{};
  std::uint32_t rows_end = 0; ///< Behind the last row that was booked.
  bool last_accepted = false; ///< What was decided about it.
  replay_totals totals{};     ///< Of all rows that were booked.
  static constexpr std::string_view journal_name = "line_stock_state";
  TROUPE_JSON(line_stock_state, figures, rows_end, last_accepted, totals)
};

/// To a stock actor: what the next process of a run must know of this one.
struct booked_query {
  using reply = line_stock_state;
};

/// The stock of one code under rule line: books each row by itself, in the order in which they come.
class line_stock : public troupe::journaled_actor<line_stock, line_stock_state, troupe::events<line_booked>, book_line,
                                                  inspect_stock, booked_query> {
public:
  line_stock(replay_staff* staff, const std::string& code, std::int64_t opening_stock);

  effect<> on(const book_line& m);
  stock_figures on(const inspect_stock&);
  line_stock_state on(const booked_query&) { return state(); }

  static void apply(line_stock_state& s, const line_booked& e);

private:
  void answer(const book_line& m);

  replay_staff& staff_;
};

} // namespace order_simulation
