// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "order_log.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace order_simulation {

/// What is accepted or rejected as a whole when an order log is replayed.
enum class replay_rule {
  /// Each sale row by itself: accepted iff its stock code has at least that many units, which are then taken.
  line,
  /// All sale rows of an order (`leading_order`), after its return rows: accepted iff every code has the units that
  /// the order wants of it in sum, which are then taken. An order of nothing but returns is not counted.
  order,
};

inline constexpr std::int64_t opening_stock_max = 1'000'000'000'000;

/// The outcome of a replay: what the report shows, and the stock file. A correct replay has one outcome only, however
/// it is sharded, scheduled and interrupted. Returns are always accepted, under either rule.
struct replay_outcome {
  replay_rule rule = replay_rule::line;
  std::int64_t opening_stock = 0;         ///< Units of every stock code before the first row.
  std::int64_t accepted = 0;              ///< Sale rows, or orders with sale rows.
  std::int64_t rejected = 0;              ///< As above.
  std::int64_t accepted_units = 0;        ///< Of accepted sale rows.
  std::int64_t rejected_units = 0;        ///< Of rejected sale rows.
  std::int64_t accepted_amount_milli = 0; ///< Thousandths, of accepted sale rows.
  std::int64_t returned_units = 0;        ///< Of return rows, a positive number.
  std::int64_t codes = 0;                 ///< Distinct stock codes of the log.
  std::int64_t final_total_available = 0; ///< Units left, over all codes.
  std::string final_stock;                ///< The stock file.
  std::string final_stock_sha256;         ///< Its digest, 64 hexadecimal digits.

  bool operator==(const replay_outcome&) const = default;
};

/// Fills in everything that follows from the units left of each stock code: codes, total, stock file and digest.
/// `available[i]` belongs to `log.stock_codes()[i]`.
void complete_outcome(replay_outcome& outcome, const order_log& log, std::span<const std::int64_t> available);

/// Replays `log` in one thread, in the order of the file. Requires: 0 <= `opening_stock` <= `opening_stock_max`.
replay_outcome replay_by_rule(const order_log& log, replay_rule rule, std::int64_t opening_stock);

/// As above, of `rows` only, which are some from the front of the log. Codes that do not occur in them keep their units.
replay_outcome replay_by_rule(const order_log& log, std::span<const order_row> rows, replay_rule rule,
                              std::int64_t opening_stock);

} // namespace order_simulation
