// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <cstdint>

namespace order_simulation {

/// One line of an order as the analytics see it: sold, or returned.
struct sale {
  troupe::pipeline::event_time time{}; ///< When it was sold, as the order says.
  std::int64_t amount = 0;             ///< In the smallest unit of money; of what is returned, below 0 as a rule.
  std::int32_t units = 0;              ///< Below 0: returned.
  std::uint32_t product = 0;
  std::uint16_t country = 0;
  bool counts = false; ///< Counts as an order in the order rate.
};

/// What some sales come to.
struct sales_sum {
  std::int64_t orders = 0;
  std::int64_t units = 0;
  std::int64_t amount = 0;
  std::int64_t returned_units = 0;
  std::int64_t returned_amount = 0;

  void add(const sale& s) noexcept {
    orders += s.counts ? 1 : 0;
    if (s.units < 0) {
      returned_units -= s.units;
      returned_amount -= s.amount;
    } else {
      units += s.units;
      amount += s.amount;
    }
  }
  sales_sum& operator+=(const sales_sum& x) noexcept {
    orders += x.orders;
    units += x.units;
    amount += x.amount;
    returned_units += x.returned_units;
    returned_amount += x.returned_amount;
    return *this;
  }
  /// What was sold less what was returned.
  std::int64_t revenue() const noexcept { return amount - returned_amount; }

  bool operator==(const sales_sum&) const = default;
};

} // namespace order_simulation
