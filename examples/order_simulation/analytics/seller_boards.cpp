// SPDX-License-Identifier: BSD-3-Clause
#include "seller_boards.hpp"

#include <algorithm>

namespace order_simulation {

using troupe::commerce::order_status;

void seller_boards::add(const line_step& s) {
  const auto seller = s.item.seller.value;
  const board_place place{s.order, s.package};
  if (seller >= rows_.size())
    rows_.resize(std::max<std::size_t>(seller + 1, 2 * rows_.size()));
  auto& row = rows_[seller];
  if (s.to == order_status::invoiced) {
    const board_entry fresh{s.item.number, s.quantity, s.to, false, s.goods, s.incentive, s.freight};
    ++open_lines_;
    open_amount_ += fresh.invoice();
    row.push_back({place, fresh});
    return;
  }
  // From the newest: most steps are of an order that has just come.
  const auto found = std::find_if(row.rbegin(), row.rend(), [&](const open_line& l) { return l.place == place; });
  if (found == row.rend())
    return;
  auto& e = found->entry;
  if (s.to == order_status::delivered || s.to == order_status::payment_failed) {
    --open_lines_;
    open_amount_ -= e.invoice();
    row.erase(std::next(found).base());
    return;
  }
  e.status = std::max(e.status, s.to);
  e.delivered = e.delivered || s.to == order_status::in_transit;
}

std::uint32_t seller_boards::orders_of(const open_row& row) {
  std::uint32_t orders = 0;
  for (auto at = row.begin(); at != row.end(); ++at) {
    const auto same = [&](const open_line& l) { return l.place.first == at->place.first; };
    orders += std::none_of(row.begin(), at, same) ? 1 : 0;
  }
  return orders;
}

std::map<std::uint32_t, seller_board> seller_boards::all() const {
  std::map<std::uint32_t, seller_board> boards;
  for (std::uint32_t seller = 0; seller < rows_.size(); ++seller) {
    if (rows_[seller].empty())
      continue;
    auto& b = boards[seller];
    b.orders = orders_of(rows_[seller]);
    for (const auto& [place, e] : rows_[seller]) {
      ++b.items;
      b.goods += e.goods;
      b.incentive += e.incentive;
      b.freight += e.freight;
      b.entries.emplace(place, e);
    }
  }
  return boards;
}

seller_boards::busy_seller seller_boards::busiest() const {
  busy_seller most;
  for (std::uint32_t seller = 0; seller < rows_.size(); ++seller)
    if (const auto orders = orders_of(rows_[seller]); orders > most.orders)
      most = {seller, orders};
  return most;
}

} // namespace order_simulation
