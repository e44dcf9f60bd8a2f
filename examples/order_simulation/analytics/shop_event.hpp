// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/keys.hpp>
#include <troupe/commerce/order.hpp>

#include <troupe/journal/store.hpp>
#include <troupe/pipeline/event_time.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace order_simulation {

enum class shop_step : std::uint8_t {
  ordered, ///< One line of a new order; the lines of an order come together.
  paid,
  refused, ///< Not paid.
  ready,   ///< For shipment.
  arrived, ///< Packages of the order, at the customer.
  delivered,
};

/// What an actor of the shop has kept, as far as it matters to sales.
struct shop_event {
  shop_step step{};
  bool first = false;       ///< ordered: the first line of its order.
  bool earlier = false;     ///< paid: in an earlier process of the run, whose sales are counted there.
  std::uint8_t package = 0; ///< ordered: the line's place in the order.
  std::uint32_t quantity = 0;
  troupe::pipeline::event_time time{}; ///< All but arrived.
  troupe::commerce::order_key order{};
  troupe::commerce::product_key item{};
  troupe::commerce::money goods{};
  troupe::commerce::money incentive{};
  troupe::commerce::money freight{};
  troupe::commerce::line_set packages = 0; ///< arrived.
};

/// The time of an event in a journal: a point in time, or what counts microseconds.
template <class At>
troupe::pipeline::event_time event_time_of(const At& at) {
  using troupe::pipeline::event_duration;
  if constexpr (requires { at.us; })
    return troupe::pipeline::event_time{event_duration{at.us}};
  else
    return troupe::pipeline::event_time{std::chrono::duration_cast<event_duration>(at.time_since_epoch())};
}

/// Appends what the events of an order or customer journal mean. New orders have the number 0: their journal gives numbers
/// in the order of its events.
void read_shop_events(troupe::commerce::customer_id who, std::span<const troupe::journal_record> events,
                      std::vector<shop_event>& to);

/// The same for an order that is open, as its actor knows it after a restart of the process. `arrived`: its packages that the
/// customer has.
void read_shop_events(troupe::commerce::customer_id who, const troupe::commerce::order_record& order,
                      troupe::commerce::line_set arrived, std::vector<shop_event>& to);

} // namespace order_simulation
