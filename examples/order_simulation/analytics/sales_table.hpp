// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/heavy_hitters.hpp>

#include "order_rate.hpp"
#include "sale.hpp"
#include "sales_terms.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace order_simulation {

/// Country and period.
using sales_cell = std::pair<std::uint16_t, std::int64_t>;

/// What one instance of the pipeline's last stage has added up: the sales of its products.
///
/// Memory: one entry for each product, country with period, and interval; fixed for the heavy hitters.
/// Threads: owner only.
class sales_table {
public:
  /// Counters of the bounded answer. 512: a tenth of the real retailer's products, with an error of 0.2 % of all units.
  static constexpr std::size_t counters = 512;

  explicit sales_table(std::shared_ptr<const sales_terms> terms) : terms_{std::move(terms)} {}

  void add(const sale& s) {
    products_[s.product].add(s);
    cell_of(s).add(s);
    if (s.counts)
      ++orders_[terms_->interval_of(s.time)];
    if (s.units > 0)
      hot_.add(s.product, static_cast<std::uint64_t>(s.units));
    total_.add(s);
  }

  const std::unordered_map<std::uint32_t, sales_sum>& products() const noexcept { return products_; }
  const std::map<sales_cell, sales_sum>& cells() const noexcept { return cells_; }
  const order_counts_by_interval& orders() const noexcept { return orders_; }
  const troupe::analytics::heavy_hitters<std::uint32_t>& hot() const noexcept { return hot_; }
  const sales_sum& total() const noexcept { return total_; }

private:
  /// Sales come nearly in the order of their time, and most from one country: mostly it is the cell of the one before.
  sales_sum& cell_of(const sale& s) {
    const sales_cell at{s.country, terms_->period_of(s.time)};
    if (last_ == nullptr || at != last_cell_) {
      last_ = &cells_[at];
      last_cell_ = at;
    }
    return *last_;
  }

  std::shared_ptr<const sales_terms> terms_;
  std::unordered_map<std::uint32_t, sales_sum> products_;
  std::map<sales_cell, sales_sum> cells_;
  sales_cell last_cell_{};
  sales_sum* last_ = nullptr; // into cells_; a board's parts are copied while they are empty only
  order_counts_by_interval orders_;
  troupe::analytics::heavy_hitters<std::uint32_t> hot_{counters};
  sales_sum total_;
};

} // namespace order_simulation
