// SPDX-License-Identifier: BSD-3-Clause
#include "replay_oracle.hpp"

#include "sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

namespace order_simulation {

namespace {

class oracle {
public:
  oracle(const order_log& log, replay_rule rule, std::int64_t opening_stock)
      : available_(log.stock_codes().size(), opening_stock), wanted_(log.stock_codes().size(), 0) {
    outcome_.rule = rule;
    outcome_.opening_stock = opening_stock;
  }

  void replay_line(const order_row& row) {
    if (!row.is_sale()) {
      take_back(row);
      return;
    }
    const bool accepted = available_[row.stock_code] >= row.quantity;
    if (accepted)
      available_[row.stock_code] -= row.quantity;
    count_units(row, accepted);
    ++(accepted ? outcome_.accepted : outcome_.rejected);
  }

  void replay_order(std::span<const order_row> rows) {
    bool has_sale = false;
    for (const order_row& row : rows) {
      if (row.is_sale())
        wanted_[row.stock_code] += row.quantity;
      else
        take_back(row);
      has_sale = has_sale || row.is_sale();
    }
    // Codes that the order does not sell want zero units, which is always there.
    const bool accepted = std::all_of(rows.begin(), rows.end(), [this](const order_row& row) {
      return available_[row.stock_code] >= wanted_[row.stock_code];
    });
    for (const order_row& row : rows) {
      wanted_[row.stock_code] = 0;
      if (!row.is_sale())
        continue;
      if (accepted)
        available_[row.stock_code] -= row.quantity;
      count_units(row, accepted);
    }
    if (has_sale)
      ++(accepted ? outcome_.accepted : outcome_.rejected);
  }

  replay_outcome finish(const order_log& log) {
    complete_outcome(outcome_, log, available_);
    return std::move(outcome_);
  }

private:
  void take_back(const order_row& row) {
    available_[row.stock_code] -= row.quantity;
    outcome_.returned_units -= row.quantity;
  }

  void count_units(const order_row& row, bool accepted) {
    (accepted ? outcome_.accepted_units : outcome_.rejected_units) += row.quantity;
    if (accepted)
      outcome_.accepted_amount_milli += row.amount_milli();
  }

  replay_outcome outcome_;
  std::vector<std::int64_t> available_; // by stock code
  std::vector<std::int64_t> wanted_;    // by stock code, of the current order; all zero between orders
};

} // namespace

void complete_outcome(replay_outcome& outcome, const order_log& log, std::span<const std::int64_t> available) {
  const auto codes = log.stock_codes();
  std::vector<std::size_t> order(codes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // char_traits<char> compares as unsigned char: bytewise, as the stock file wants it.
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return codes[a] < codes[b]; });
  outcome.codes = static_cast<std::int64_t>(codes.size());
  outcome.final_total_available = 0;
  outcome.final_stock.clear();
  for (const std::size_t i : order) {
    outcome.final_total_available += available[i];
    fmt::format_to(std::back_inserter(outcome.final_stock), "{},{}\n", codes[i], available[i]);
  }
  outcome.final_stock_sha256 = sha256_hex(outcome.final_stock);
}

replay_outcome replay_by_rule(const order_log& log, replay_rule rule, std::int64_t opening_stock) {
  return replay_by_rule(log, log.rows(), rule, opening_stock);
}

replay_outcome replay_by_rule(const order_log& log, std::span<const order_row> rows, replay_rule rule,
                              std::int64_t opening_stock) {
  oracle reference{log, rule, opening_stock};
  std::span<const order_row> rest = rows;
  while (!rest.empty()) {
    const auto next = rule == replay_rule::order ? leading_order(rest) : rest.first(1);
    if (rule == replay_rule::order)
      reference.replay_order(next);
    else
      reference.replay_line(next.front());
    rest = rest.subspan(next.size());
  }
  return reference.finish(log);
}

} // namespace order_simulation
