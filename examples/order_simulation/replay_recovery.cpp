// SPDX-License-Identifier: BSD-3-Clause
#include "replay_recovery.hpp"

#include "ask_all.hpp"
#include "replay_line.hpp"
#include "replay_order.hpp"

#include <algorithm>
#include <vector>

namespace order_simulation {

namespace {

/// Rows below the last booked one of their code are over; the clerk walks past them.
void recover_lines(replay_staff& staff) {
  auto& b = staff.book;
  ask_all(staff.lines, booked_query{}, [&](std::size_t, const line_stock_state& s) {
    b.booked_below.push_back(s.rows_end);
    b.settled += s.figures.taken;
    b.totals += s.totals;
  });
  b.fed = b.settled;
}

/// An order is over if each of its stock actors has its part and has kept the verdict. The others are fed again, under their
/// numbers and before any new one; what is decided of them stays decided.
void recover_orders(replay_staff& staff) {
  auto& b = staff.book;
  std::vector<order_stock_state> stocks;
  std::uint64_t end = 0;
  std::uint64_t below = 0;
  ask_all(staff.parts, parts_query{}, [&](std::size_t, order_stock_state s) {
    b.totals += s.totals;
    end = std::max(end, s.orders_end);
    below = std::max(below, s.settled_below);
    stocks.push_back(std::move(s));
  });
  for (; b.next_order < end; ++b.next_order) {
    const auto rows = leading_order(staff.log.rows().subspan(b.next_row));
    if (b.next_order >= below) {
      const order_sheet sheet{rows, {}};
      const auto is_over = [&](const order_part& p) {
        return stocks[p.stock_code].verdict_on(b.next_order) != nullptr;
      };
      if (!std::all_of(sheet.parts.begin(), sheet.parts.end(), is_over)) {
        b.again.emplace_back(b.next_order, b.next_row);
        // It is counted when it is settled.
        if (const auto* known = stocks[sheet.parts.front().stock_code].verdict_on(b.next_order))
          b.totals -= sheet.totals(known->accepted);
      }
    }
    b.next_row += rows.size();
  }
  b.fed = b.next_order;
  b.settled = b.fed - b.again.size();
}

} // namespace

void recover(replay_staff& staff) {
  if (staff.rule == replay_rule::line)
    recover_lines(staff);
  else
    recover_orders(staff);
}

} // namespace order_simulation
