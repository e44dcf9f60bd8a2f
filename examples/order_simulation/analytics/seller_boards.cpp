// SPDX-License-Identifier: BSD-3-Clause
#include "seller_boards.hpp"

#include <algorithm>

namespace order_simulation {

using troupe::commerce::order_status;

namespace {

bool has_order(const seller_board& b, troupe::commerce::order_key o) {
  const auto at = b.entries.lower_bound({o, 0});
  return at != b.entries.end() && at->first.first == o;
}

} // namespace

void seller_boards::add(const line_step& s) {
  const auto seller = s.item.seller.value;
  switch (s.to) {
    case order_status::invoiced: return open(boards_[seller], s);
    case order_status::delivered:
    case order_status::payment_failed: return close(seller, s);
    default: break;
  }
  const auto board = boards_.find(seller);
  if (board == boards_.end())
    return;
  const auto at = board->second.entries.find({s.order, s.package});
  if (at == board->second.entries.end())
    return;
  auto& e = at->second;
  e.status = std::max(e.status, s.to);
  e.delivered = e.delivered || s.to == order_status::in_transit;
}

void seller_boards::open(seller_board& b, const line_step& s) {
  b.orders += has_order(b, s.order) ? 0 : 1;
  b.items += 1;
  b.goods += s.goods;
  b.incentive += s.incentive;
  b.freight += s.freight;
  ++open_lines_;
  open_amount_ += s.invoice();
  b.entries.insert_or_assign({s.order, s.package},
                             board_entry{s.item.number, s.quantity, s.to, false, s.goods, s.incentive, s.freight});
}

void seller_boards::close(std::uint32_t seller, const line_step& s) {
  const auto board = boards_.find(seller);
  if (board == boards_.end())
    return;
  auto& b = board->second;
  const auto at = b.entries.find({s.order, s.package});
  if (at == b.entries.end())
    return;
  const auto& e = at->second;
  b.items -= 1;
  b.goods -= e.goods;
  b.incentive -= e.incentive;
  b.freight -= e.freight;
  --open_lines_;
  open_amount_ -= e.invoice();
  b.entries.erase(at);
  b.orders -= has_order(b, s.order) ? 0 : 1;
  if (b.entries.empty())
    boards_.erase(board);
}

} // namespace order_simulation
