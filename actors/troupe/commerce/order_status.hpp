// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::commerce {

/// How far an order has come. A later status has a greater value, so that "has come at least to" is a comparison;
/// `payment_failed` and `delivered` are ends.
enum class order_status : std::uint8_t {
  invoiced,           ///< Units are reserved, a number is given, the sellers are told.
  payment_processed,  ///< Paid.
  ready_for_shipment, ///< There is a shipment with a package per line.
  in_transit,         ///< Some package is delivered.
  delivered,          ///< All packages are.
  payment_failed,     ///< Not paid: reservations are cancelled.
};

constexpr std::string_view to_string(order_status s) noexcept {
  constexpr std::string_view names[] = {"invoiced",   "payment_processed", "ready_for_shipment",
                                        "in_transit", "delivered",         "payment_failed"};
  return s <= order_status::payment_failed ? names[static_cast<std::size_t>(s)] : "invalid order_status";
}

/// Whether an order may go from one status to the other: each step is made once, and none is left out.
constexpr bool may_follow(order_status from, order_status to) noexcept {
  if (to == order_status::payment_failed)
    return from == order_status::invoiced;
  return from != order_status::payment_failed && static_cast<int>(to) == static_cast<int>(from) + 1;
}

/// A moment of calendar time as it is kept: in microseconds since 1970-01-01 UTC.
struct moment {
  std::int64_t us = 0;
  friend constexpr auto operator<=>(moment, moment) noexcept = default;
};

inline moment moment_of(wall_time_point t) noexcept {
  return {std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count()};
}

/// One line of an order's history.
struct status_change {
  order_status status{};
  moment at{};
};

enum class payment_method : std::uint8_t { credit_card, debit_card, boleto };

} // namespace troupe::commerce
