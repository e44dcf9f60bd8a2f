// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "flash_sale_record.hpp"
#include "flash_sale_shop.hpp"
#include "report.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace order_simulation {

/// Without `--rate`: customers per customer that the shop can serve.
inline constexpr double sale_overload = 2.0;

/// Products on sale.
inline constexpr std::uint32_t hot_products = 8;

/// Little stock: for about a tenth of the customers. At least one unit of each product.
constexpr std::int64_t opening_stock_of(std::uint64_t orders) {
  return orders < 50 ? 1 : static_cast<std::int64_t>(orders / 50);
}

/// The rehearsals sell other products, as many, of which there is always enough.
inline constexpr std::int64_t rehearsal_stock = 1'000'000'000;

/// The figures of the sale itself.
struct sale_figures {
  double offered_per_s = 0;
  double goodput_per_s = 0; ///< Orders served while customers came.
  std::chrono::nanoseconds selling{0};
  std::chrono::nanoseconds total{0}; ///< To the last answer.
};

/// What a sale has come to. Valid when everybody is answered.
struct sale_facts {
  const sale_record& sale;
  const sale_figures& figures;
  const std::vector<sale_stock_figures>& stocks; ///< The hot products, then those of the rehearsals.
  const std::vector<std::int64_t>& sold_before;  ///< By earlier processes of the run; empty: there was none.
  std::int64_t opening_stock;                    ///< Of each hot product.
  latency_figures unloaded;
  double capacity_per_s; ///< 0 if it was not measured.
};

/// Says how the sale went compared with the rehearsals.
void append_sale_notes(report& r, const sale_facts& f);

/// What must hold however fast the machine is and whatever fails.
void append_sale_invariants(report& r, const sale_facts& f);

/// What the speed is held to, where the sale was long enough to have one. Not for sales with injected failures.
void append_speed_invariants(report& r, const sale_facts& f);

} // namespace order_simulation
