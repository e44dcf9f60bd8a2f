// SPDX-License-Identifier: BSD-3-Clause
#include "replay_clerk.hpp"

#include "replay_line.hpp"
#include "replay_order.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace order_simulation {

clerk::clerk(replay_staff* staff) : journaled_actor{"clerk"}, staff_{*staff} {}

clerk::effect<> clerk::on(const open_intake&) {
  fault_point();
  const fed_more more = next_feed(state().fed - state().settled);
  if (more.items == 0)
    return {};
  return effect<>{more}.then([this, more] { feed(more); });
}

clerk::effect<> clerk::on(const close_intake&) {
  fault_point();
  return {intake_closed{}};
}

clerk::effect<> clerk::on(const settlement& s) {
  fault_point();
  const std::uint64_t under_way = state().fed - state().settled - 1;
  const fed_more more = next_feed(under_way);
  if (more.items == 0)
    return effect<>{answered{s.totals}}.then([this, &s] { note(s); });
  return effect<>{answered{s.totals}, more}.then([this, &s, more] {
    note(s);
    feed(more);
  });
}

void clerk::note(const settlement& s) {
  staff_.latencies.record(now() - s.fed_at);
  if (staff_.on_settled)
    staff_.on_settled(s.item, s.totals.accepted > 0);
}

replay_progress clerk::on(const check_progress&) {
  fault_point();
  const auto ms = [this](double quantile) {
    return static_cast<double>(staff_.latencies.value_at(quantile).count()) / 1000.0;
  };
  const clerk_state& s = state();
  const bool fed_up = s.closed || s.next_row == staff_.log.rows().size();
  return {.rows_fed = s.next_row,
          .fed = s.fed,
          .settled = s.settled,
          .over = fed_up && s.settled == s.fed,
          .totals = s.totals,
          .p50_ms = ms(0.5),
          .p99_ms = ms(0.99)};
}

void clerk::apply(clerk_state& s, const fed_more& e) {
  s.fed += e.items;
  s.next_row += e.rows;
}

void clerk::apply(clerk_state& s, const answered& e) {
  ++s.settled;
  s.totals += e.totals;
}

/// Nothing until half of the window is empty, then as much as fits: feeding in bulk wakes the others less often.
fed_more clerk::next_feed(std::uint64_t under_way) const {
  const bool by_line = staff_.rule == replay_rule::line;
  const std::size_t window = by_line ? lines_in_flight_max : orders_in_flight_max;
  std::span<const order_row> rest = staff_.log.rows().subspan(state().next_row);
  if (state().closed || rest.empty() || under_way > window / 2 || (staff_.may_feed && !staff_.may_feed()))
    return {0, 0};
  const std::uint64_t room = window - under_way;
  if (by_line) {
    const std::size_t n = std::min<std::size_t>(room, rest.size());
    return {n, n};
  }
  fed_more more{0, 0};
  for (; more.items < room && !rest.empty(); ++more.items) {
    const std::size_t n = leading_order(rest).size();
    rest = rest.subspan(n);
    more.rows += n;
  }
  return more;
}

/// After the event: `state()` holds where this feed ends.
void clerk::feed(const fed_more& f) {
  const std::size_t first = state().next_row - f.rows;
  const auto fed_at = now();
  std::span<const order_row> rows = staff_.log.rows().subspan(first, f.rows);
  if (staff_.rule == replay_rule::line) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      staff_.tell(staff_.lines[rows[i].stock_code], book_line{static_cast<std::uint32_t>(first + i), fed_at});
    return;
  }
  for (std::uint64_t number = state().fed - f.items; !rows.empty(); ++number) {
    const auto order = leading_order(rows);
    feed_order(order, number);
    rows = rows.subspan(order.size());
  }
}

/// Gives each stock actor its part. They all get their parts from here, in the order of the file, so that of two orders
/// that want the same codes one is first everywhere: no two can wait for each other.
void clerk::feed_order(std::span<const order_row> rows, std::uint64_t number) {
  const auto sheet = std::make_shared<const order_sheet>(rows, now());
  auto options = staff_.plan.child(sheet->parts.size() + 1); // one vote each, and `all_parts_out`
  options.restart = troupe::transient;
  const auto order = staff_.orders.start<replay_order>(std::to_string(number), options, &staff_, number, sheet);
  for (std::uint32_t i = 0; i < sheet->parts.size(); ++i) {
    const order_part& p = sheet->parts[i];
    staff_.tell(staff_.parts[p.stock_code], take_part{order, number, i, p.wanted, p.returned});
  }
  staff_.tell(order, all_parts_out{});
}

} // namespace order_simulation
