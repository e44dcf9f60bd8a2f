// SPDX-License-Identifier: BSD-3-Clause
#include "shop_event.hpp"

#include <troupe/commerce/customer.hpp>
#include <troupe/commerce/order.hpp>

#include <optional>

namespace order_simulation {

namespace {

using namespace troupe::commerce;

template <class E>
const E* as(const troupe::journal_record& r) {
  return r.type == &troupe::journal_type_of<E> ? static_cast<const E*>(r.value) : nullptr;
}

std::optional<shop_step> step_of(order_status s) {
  switch (s) {
    case order_status::payment_processed: return shop_step::paid;
    case order_status::payment_failed: return shop_step::refused;
    case order_status::ready_for_shipment: return shop_step::ready;
    case order_status::delivered: return shop_step::delivered;
    default: return std::nullopt; // what is in transit, the packages say
  }
}

void read_lines(order_key order, const std::vector<order_line>& lines, troupe::pipeline::event_time time,
                std::vector<shop_event>& to) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& l = lines[i];
    to.push_back({.step = shop_step::ordered,
                  .first = i == 0,
                  .package = static_cast<std::uint8_t>(i),
                  .quantity = l.quantity,
                  .time = time,
                  .order = order,
                  .item = l.item,
                  .goods = l.unit_price * l.quantity,
                  .incentive = incentive_of(l),
                  .freight = l.freight});
  }
}

} // namespace

void read_shop_events(customer_id who, const order_record& order, line_set arrived, std::vector<shop_event>& to) {
  const order_key key{who, order.number};
  for (std::size_t i = 0; i < order.changes; ++i) {
    const auto& change = order.history[i];
    const auto time = event_time_of(change.at);
    if (change.status == order_status::invoiced)
      read_lines(key, order.lines, time, to);
    else if (const auto step = step_of(change.status))
      to.push_back({.step = *step, .earlier = true, .time = time, .order = key});
  }
  if (arrived != 0)
    to.push_back({.step = shop_step::arrived, .order = key, .packages = arrived});
}

void read_shop_events(customer_id who, std::span<const troupe::journal_record> events, std::vector<shop_event>& to) {
  for (const auto& r : events) {
    if (const auto* made = as<order_invoiced>(r)) {
      read_lines({who, 0}, made->lines, event_time_of(made->at), to);
    } else if (const auto* moved = as<order_progressed>(r)) {
      if (const auto step = step_of(moved->status))
        to.push_back({.step = *step, .time = event_time_of(moved->at), .order = {who, moved->number}});
    } else if (const auto* there = as<packages_arrived>(r)) {
      to.push_back({.step = shop_step::arrived, .order = {who, there->number}, .packages = there->packages});
    }
  }
}

} // namespace order_simulation
