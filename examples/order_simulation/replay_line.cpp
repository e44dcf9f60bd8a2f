// SPDX-License-Identifier: BSD-3-Clause
#include "replay_line.hpp"

#include "replay_clerk.hpp"

namespace order_simulation {

line_stock::line_stock(replay_staff* staff, const std::string& code, std::int64_t opening_stock)
    : journaled_actor{"stock/" + code, {.figures = {.available = opening_stock}}}, staff_{*staff} {}

namespace {

/// What one row comes to.
replay_totals totals_of(std::int32_t quantity, std::int64_t amount_milli, bool accepted) {
  replay_totals t;
  if (quantity <= 0) {
    t.returned_units = -std::int64_t{quantity};
  } else if (accepted) {
    t.accepted = 1;
    t.accepted_units = quantity;
    t.accepted_amount_milli = amount_milli;
  } else {
    t.rejected = 1;
    t.rejected_units = quantity;
  }
  return t;
}

} // namespace

line_stock::effect<> line_stock::on(const book_line& m) {
  const order_row& row = staff_.log.rows()[m.row];
  const bool accepted = !row.is_sale() || state().figures.available >= row.quantity;
  fault_point();
  effect<> fx;
  if (m.row >= state().rows_end)
    fx.and_event(line_booked{m.row, row.quantity, row.amount_milli(), accepted});
  else if (m.row + 1 != state().rows_end)
    return fx; // not the one that a failure has left unanswered: it was answered, or is out of place
  return std::move(fx).then([this, &m] { answer(m); });
}

void line_stock::answer(const book_line& m) {
  const order_row& row = staff_.log.rows()[m.row];
  staff_.tell(staff_.desk,
              settlement{m.row, totals_of(row.quantity, row.amount_milli(), state().last_accepted), m.fed_at});
}

stock_figures line_stock::on(const inspect_stock&) {
  fault_point();
  return state().figures;
}

void line_stock::apply(line_stock_state& s, const line_booked& e) {
  stock_figures& f = s.figures;
  ++f.taken;
  f.misplaced += e.row < s.rows_end ? 1 : 0;
  s.rows_end = e.row + 1;
  s.last_accepted = e.accepted;
  s.totals += totals_of(e.quantity, e.amount_milli, e.accepted);
  if (!e.accepted)
    return;
  f.available -= e.quantity;
  if (e.quantity > 0) {
    f.sold += e.quantity;
    f.amount_milli += e.amount_milli;
  } else {
    f.returned -= e.quantity;
  }
}

} // namespace order_simulation
