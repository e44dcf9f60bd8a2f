// SPDX-License-Identifier: BSD-3-Clause
#include "replay_clerk.hpp"

#include "replay_line.hpp"
#include "replay_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace order_simulation {

clerk::clerk(replay_staff* staff) : staff_{*staff} {}

void clerk::on(const open_intake&) {
  fault_point();
  feed();
}

void clerk::on(const close_intake&) {
  fault_point();
  staff_.book.closed = true;
}

void clerk::on(const settlement& s) {
  fault_point();
  auto& b = staff_.book;
  if (b.under_way.erase(s.item) == 0)
    return;
  if (s.totals.accepted + s.totals.rejected > 0)
    staff_.told.add(fmt::format("{} {} {}", staff_.rule == replay_rule::line ? "line" : "order", s.item,
                                s.totals.accepted > 0 ? "accepted" : "rejected"));
  ++b.settled;
  b.totals += s.totals;
  staff_.latencies.record(now() - s.fed_at);
  if (staff_.on_settled)
    staff_.on_settled(s.item, s.totals.accepted > 0);
  feed();
}

replay_progress clerk::on(const check_progress&) {
  fault_point();
  const auto ms = [this](double quantile) {
    return static_cast<double>(staff_.latencies.value_at(quantile).count()) / 1000.0;
  };
  const replay_book& b = staff_.book;
  return {.rows_fed = b.next_row,
          .fed = b.fed,
          .settled = b.settled,
          .over = is_fed_up() && b.under_way.empty(),
          .totals = b.totals,
          .p50_ms = ms(0.5),
          .p99_ms = ms(0.99)};
}

bool clerk::is_fed_up() const {
  const auto& b = staff_.book;
  return b.again.empty() && (b.closed || b.next_row == staff_.log.rows().size());
}

/// Nothing until half of the window is empty, then as much as fits: feeding in bulk wakes the others less often. Who has
/// nothing to feed does not ask for room: the answer would come when the replay is over.
void clerk::feed() {
  auto& b = staff_.book;
  const bool by_line = staff_.rule == replay_rule::line;
  const std::size_t window = by_line ? lines_in_flight_max : orders_in_flight_max;
  if (is_fed_up() || b.under_way.size() > window / 2 || (staff_.may_feed && !staff_.may_feed()))
    return;
  for (; !b.again.empty() && b.under_way.size() < window; b.again.pop_front())
    feed_order(b.again.front().second, b.again.front().first);
  const auto rows = staff_.log.rows();
  while (!b.closed && b.again.empty() && b.under_way.size() < window && b.next_row < rows.size()) {
    if (by_line) {
      feed_line(b.next_row++);
      continue;
    }
    const std::size_t first = b.next_row;
    b.next_row += leading_order(rows.subspan(first)).size();
    feed_order(first, b.next_order++);
    ++b.fed;
  }
}

void clerk::feed_line(std::size_t row) {
  auto& b = staff_.book;
  const auto code = staff_.log.rows()[row].stock_code;
  if (!b.booked_below.empty() && row < b.booked_below[code])
    return;
  ++b.fed;
  b.under_way.insert(row);
  staff_.tell(staff_.lines[code], book_line{static_cast<std::uint32_t>(row), now()});
}

/// Gives each stock actor its part. They all get their parts from here, in the order of the file, so that of two orders
/// that want the same codes one is first everywhere: no two can wait for each other.
void clerk::feed_order(std::size_t first_row, std::uint64_t number) {
  auto& b = staff_.book;
  b.under_way.insert(number);
  const auto sheet = std::make_shared<const order_sheet>(leading_order(staff_.log.rows().subspan(first_row)), now());
  // A vote and a confirmation each, and `all_parts_out`.
  auto options = staff_.plan.child(repetitions_max * (2 * sheet->parts.size() + 1));
  options.restart = troupe::transient;
  const auto order = staff_.orders.start<replay_order>(std::to_string(number), options, &staff_, number, sheet);
  for (std::uint32_t i = 0; i < sheet->parts.size(); ++i) {
    const order_part& p = sheet->parts[i];
    staff_.tell(staff_.parts[p.stock_code], take_part{order, number, i, p.wanted, p.returned, b.settled_below()});
  }
  staff_.tell(order, all_parts_out{});
}

} // namespace order_simulation
