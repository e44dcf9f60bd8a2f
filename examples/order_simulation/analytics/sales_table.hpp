// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/heavy_hitters.hpp>

#include "order_rate.hpp"
#include "sale.hpp"
#include "sales_terms.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace order_simulation {

/// Country and period.
using sales_cell = std::pair<std::uint16_t, std::int64_t>;

/// Sums by product: as a hash table, but with the sums in one row, which a processor reads faster than nodes.
///
/// Open addressing with linear probing, at most half full. Threads: owner only.
class product_sums {
public:
  struct entry {
    std::uint32_t product;
    sales_sum sum;
  };

  sales_sum& operator[](std::uint32_t product) {
    if (2 * rows_.size() >= places_.size())
      grow();
    auto& at = place_of(product);
    if (at == none) {
      at = static_cast<std::uint32_t>(rows_.size());
      rows_.push_back({product, {}});
    }
    return rows_[at].sum;
  }

  /// In the order of their first sales.
  const std::vector<entry>& rows() const noexcept { return rows_; }

private:
  static constexpr std::uint32_t none = 0xffffffff;

  std::uint32_t& place_of(std::uint32_t product) {
    const auto mask = places_.size() - 1;
    auto at = product * 0x9e3779b97f4a7c15 >> 32 & mask; // Fibonacci hashing
    while (places_[at] != none && rows_[places_[at]].product != product)
      at = (at + 1) & mask;
    return places_[at];
  }

  void grow() {
    places_.assign(std::max<std::size_t>(64, 2 * places_.size()), none);
    for (std::uint32_t i = 0; i < rows_.size(); ++i)
      place_of(rows_[i].product) = i;
  }

  std::vector<std::uint32_t> places_; // a power of two; indices into rows_
  std::vector<entry> rows_;
};

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

  const std::vector<product_sums::entry>& products() const noexcept { return products_.rows(); }
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
  product_sums products_;
  std::map<sales_cell, sales_sum> cells_;
  sales_cell last_cell_{};
  sales_sum* last_ = nullptr; // into cells_; a board's parts are copied while they are empty only
  order_counts_by_interval orders_;
  troupe::analytics::heavy_hitters<std::uint32_t> hot_{counters};
  sales_sum total_;
};

} // namespace order_simulation
