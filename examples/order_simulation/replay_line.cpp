// SPDX-License-Identifier: BSD-3-Clause
#include "replay_line.hpp"

#include "replay_clerk.hpp"

namespace order_simulation {

line_stock::line_stock(replay_staff* staff, const std::string& code, std::int64_t opening_stock)
    : journaled_actor{"stock/" + code, {.figures = {.available = opening_stock}}}, staff_{*staff} {}

line_stock::effect<> line_stock::on(const book_line& m) {
  const order_row& row = staff_.log.rows()[m.row];
  const bool accepted = !row.is_sale() || state().figures.available >= row.quantity;
  fault_point();
  return effect<>{line_booked{m.row, row.quantity, row.amount_milli(), accepted}}.then([this, &m] {
    const order_row& booked = staff_.log.rows()[m.row];
    replay_totals t;
    if (!booked.is_sale()) {
      t.returned_units = -std::int64_t{booked.quantity};
    } else if (state().last_accepted) {
      t.accepted = 1;
      t.accepted_units = booked.quantity;
      t.accepted_amount_milli = booked.amount_milli();
    } else {
      t.rejected = 1;
      t.rejected_units = booked.quantity;
    }
    staff_.tell(staff_.desk, settlement{m.row, t, m.fed_at});
  });
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
