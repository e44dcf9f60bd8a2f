// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sales_table.hpp"
#include "seller_boards.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace order_simulation {

/// One product in a list of the best.
struct top_product {
  std::uint32_t product = 0;
  sales_sum sum;

  bool operator==(const top_product&) const = default;
};

/// What the analytics of a run say at its end. Live, or recomputed in one go from the record of the run: both are equal.
struct sales_answers {
  std::map<sales_cell, sales_sum> cells; ///< By country and period.
  std::map<std::uint32_t, sales_sum> products;
  order_counts_by_interval orders;
  std::vector<rate_anomaly> anomalies;              ///< Of `orders`.
  std::vector<top_product> top;                     ///< Of `products`, by revenue.
  std::map<std::uint32_t, seller_board> dashboards; ///< By seller; marketplace only.
  sales_sum total;

  bool operator==(const sales_answers&) const = default;
};

/// The products with the most revenue, most first; of equals the first number.
std::vector<top_product> top_products(const std::map<std::uint32_t, sales_sum>& products, std::size_t most);
inline constexpr std::size_t top_products_max = 20;

/// The recomputation: adds sale to sale, in any order, with none of the pipeline's tables.
class sales_recount {
public:
  explicit sales_recount(const sales_terms& terms) : terms_{terms} {}

  void add(const sale& s);
  sales_answers answers() const;

private:
  const sales_terms& terms_;
  sales_answers sums_;
};

/// The bounded-memory answer beside the exact one.
using bounded_top = troupe::analytics::heavy_hitters<std::uint32_t>;

/// Whether `hot` keeps its promise: no count is below the exact one or above it by more than its stated error, no error is
/// above the share of all units that the number of counters allows, and no product with more than that is missing.
bool within_stated_error(const bounded_top& hot, const std::map<std::uint32_t, sales_sum>& exact);

/// What the analytics know at one moment, for a view. Cheap: no list of all products is made for it.
struct sales_glance {
  sales_sum total;
  std::map<std::uint16_t, std::int64_t> revenue_by_country;
  std::optional<std::int64_t> newest_period;
  std::int64_t newest_revenue = 0;       ///< Of that period.
  std::vector<bounded_top::counter> hot; ///< The five of which most units were sold, with their stated errors.
  order_counts_by_interval orders;
  std::uint64_t open_lines = 0;
  std::int64_t open_amount = 0;
  std::uint32_t busiest_seller = 0; ///< 0: none.
  std::uint32_t busiest_orders = 0;
};

} // namespace order_simulation
