// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/order_line.hpp>
#include <troupe/commerce/order_status.hpp>

#include <troupe/pipeline/event_time.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace order_simulation {

/// What a step of an order means for one of its lines.
struct line_step {
  troupe::pipeline::event_time time{};
  troupe::commerce::order_key order{};
  troupe::commerce::product_key item{};
  troupe::commerce::order_status to{};
  std::uint8_t package = 0; ///< The line's place in the order.
  bool first = false;       ///< Of the order's lines.
  bool earlier = false;     ///< Came to pass in an earlier process of the run.
  std::uint32_t quantity = 0;
  troupe::commerce::money goods{};
  troupe::commerce::money incentive{};
  troupe::commerce::money freight{};

  troupe::commerce::money invoice() const noexcept { return goods - incentive + freight; }
};

/// One line of an open order on its seller's dashboard.
struct board_entry {
  std::uint32_t product = 0; ///< The seller's number for it.
  std::uint32_t quantity = 0;
  troupe::commerce::order_status status{};
  bool delivered = false;
  troupe::commerce::money goods{};
  troupe::commerce::money incentive{};
  troupe::commerce::money freight{};

  troupe::commerce::money invoice() const noexcept { return goods - incentive + freight; }
  bool operator==(const board_entry&) const = default;
};

/// Where a line stands on a dashboard: by order, then by its place in the order.
using board_place = std::pair<troupe::commerce::order_key, std::uint8_t>;

/// A seller's dashboard as the Online Marketplace benchmark has it: his open orders, and what they come to.
struct seller_board {
  std::uint32_t orders = 0; ///< Distinct ones.
  std::uint32_t items = 0;
  troupe::commerce::money goods{};
  troupe::commerce::money incentive{};
  troupe::commerce::money freight{};
  std::map<board_place, board_entry> entries;

  troupe::commerce::money invoice() const noexcept { return goods - incentive + freight; }
  bool operator==(const seller_board&) const = default;
};

/// The dashboards of some sellers, kept up to date by the steps of their orders' lines.
///
/// A line is open from its invoice until its order is delivered or was not paid; its status never goes back. Memory: the
/// open lines, and a few words for each seller, whose numbers are dense. Threads: owner only.
class seller_boards {
public:
  void add(const line_step& s);

  /// By seller; those without open orders are left out. Put together at each call.
  std::map<std::uint32_t, seller_board> all() const;
  std::uint64_t open_lines() const noexcept { return open_lines_; }
  troupe::commerce::money open_amount() const noexcept { return open_amount_; }

  struct busy_seller {
    std::uint32_t seller = 0;
    std::uint32_t orders = 0; ///< Open ones.
  };
  /// The seller with the most open orders.
  busy_seller busiest() const;

private:
  struct open_line {
    board_place place;
    board_entry entry;
  };
  /// One seller's, as they came.
  using open_row = std::vector<open_line>;

  static std::uint32_t orders_of(const open_row& row);

  std::vector<open_row> rows_; // by seller
  std::uint64_t open_lines_ = 0;
  troupe::commerce::money open_amount_{};
};

} // namespace order_simulation
