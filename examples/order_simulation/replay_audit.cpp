// SPDX-License-Identifier: BSD-3-Clause
#include "replay_audit.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace order_simulation {

namespace {

/// What the rows of the log that were fed say by themselves, whatever was decided about them.
struct log_sums {
  std::uint64_t sale_lines = 0;
  std::uint64_t sale_orders = 0;
  std::int64_t sale_units = 0;
  std::int64_t returned_units = 0;
  std::vector<std::uint64_t> taken;   // by stock code: rows, or parts of orders
  std::vector<std::int64_t> returned; // by stock code

  log_sums(const order_log& log, std::span<const order_row> rows, replay_rule rule)
      : taken(log.stock_codes().size()), returned(log.stock_codes().size()) {
    std::vector<std::uint64_t> last_order(log.stock_codes().size());
    for (std::uint64_t number = 1; !rows.empty(); ++number) {
      const auto order = leading_order(rows);
      rows = rows.subspan(order.size());
      bool has_sale = false;
      for (const order_row& row : order) {
        const bool same_part =
            rule == replay_rule::order && std::exchange(last_order[row.stock_code], number) == number;
        taken[row.stock_code] += same_part ? 0 : 1;
        has_sale = has_sale || row.is_sale();
        if (row.is_sale()) {
          ++sale_lines;
          sale_units += row.quantity;
        } else {
          returned_units -= row.quantity;
          returned[row.stock_code] -= row.quantity;
        }
      }
      sale_orders += has_sale ? 1 : 0;
    }
  }
};

} // namespace

void append_replay_invariants(report& r, const order_log& log, const replay_answers& answers,
                              const replay_outcome& found) {
  const bool by_line = found.rule == replay_rule::line;
  const auto rows = log.rows().first(answers.rows_fed);
  const log_sums sums{log, rows, found.rule};
  const replay_totals& t = answers.totals;
  const auto add = [&r](std::string name, bool holds, std::uint64_t checked) {
    r.invariants.push_back({std::move(name), holds, checked});
  };

  const std::uint64_t codes = answers.stocks.size();
  std::int64_t sold = 0;
  std::int64_t amount = 0;
  bool law = true;
  bool in_order = true;
  for (std::size_t code = 0; code < codes; ++code) {
    const stock_figures& s = answers.stocks[code];
    sold += s.sold;
    amount += s.amount_milli;
    law = law && s.available >= 0 && s.available == found.opening_stock - s.sold + s.returned;
    in_order = in_order && s.misplaced == 0 && s.waiting == 0 && s.taken == sums.taken[code] &&
               s.returned == sums.returned[code];
  }
  add("stock law: available = opening - sold + returned >= 0 for each code", law, codes);
  add("each code got all its rows, each once, in the order of the file", in_order, codes);

  const std::uint64_t asked = by_line ? sums.sale_lines : sums.sale_orders;
  add(by_line ? "every sale line answered exactly once" : "every order answered exactly once",
      static_cast<std::uint64_t>(t.accepted + t.rejected) == asked, asked);
  add("units: accepted + rejected = wanted, accepted = sold by the stocks, returns all taken",
      t.accepted_units + t.rejected_units == sums.sale_units && t.accepted_units == sold &&
          t.returned_units == sums.returned_units,
      rows.size());
  if (by_line)
    add("money: the accepted amount is that of the stocks", t.accepted_amount_milli == amount, codes);

  const bool same = found == replay_by_rule(log, rows, found.rule, found.opening_stock);
  add("the replay equals the sequential oracle", same, rows.size());
}

} // namespace order_simulation
