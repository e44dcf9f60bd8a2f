// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/recent.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe::commerce {

enum class shipment_status : std::uint8_t { approved, delivery_in_progress, concluded };

/// An order on its way to its customer, with a package per line.
struct open_shipment {
  std::uint64_t number = 0; ///< Within the partition, from 1, without gaps.
  order_key order{};
  shipment_status status = shipment_status::approved;
  line_set delivered = 0;
  money freight{};
  time_point requested_at{};
  std::vector<product_key> packages;

  line_set all() const noexcept { return ~line_set{0} >> (order_lines_max - packages.size()); }
};

struct shipment_state {
  struct delivery {
    transaction_id tid = 0;
    std::uint32_t packages = 0;
  };

  std::uint64_t last_number = 0;
  std::vector<open_shipment> open; ///< Oldest first.
  tally shipments;                 ///< All, by order.
  tally concluded;                 ///< By order.
  tally packages;                  ///< All: each line of each order.
  std::uint64_t delivered = 0;     ///< Packages.
  money freight{};
  /// Deliveries that did something. 16: a repetition comes while few others are under way.
  recent<delivery, 16> deliveries;
  /// Concluded orders. 64: what repeats `ship_order` is the order's own transaction, which ends within moments.
  recent<order_key, 64> closed;
};

struct shipment_query {
  using reply = shipment_state;
};

struct shipment_made {
  order_key order{};
  money freight{};
  time_point at{};
  std::vector<product_key> packages;
};

/// Packages of one shipment.
struct delivered_part {
  std::uint64_t number = 0;
  line_set packages = 0;
};
struct packages_delivered {
  transaction_id tid = 0;
  std::vector<delivered_part> parts;
};

/// What `deliver_oldest` delivers: of the ten oldest shipments, for each seller, his packages in the oldest of them.
std::vector<delivered_part> deliverable(const std::vector<open_shipment>& open);

/// One partition of the customers' shipments. Tells sellers, customers and orders what happens, each step in its order.
///
///     ship_order      -           a shipment, now or before; ready_for_shipment is told
///     deliver_oldest  uint32      packages delivered by this transaction, now or before
///     delivery_round  -           the same, then on to the next partition or the desk
///     shipment_query  shipment_state
///
/// Keys: the order (all open, the last 64 concluded), the transaction (the last 16 that delivered something).
class shipment final : public journaled_actor<shipment, shipment_state, events<shipment_made, packages_delivered>,
                                              ship_order, deliver_oldest, delivery_round, shipment_query> {
public:
  static constexpr std::size_t snapshot_every = 64;

  shipment(std::uint32_t partition, std::shared_ptr<const directory> shop);

  effect<> on(const ship_order& m) const;
  effect<std::uint32_t> on(const deliver_oldest& m) const;
  effect<> on(const delivery_round& m) const;
  shipment_state on(const shipment_query&) const { return state(); }

  static void apply(shipment_state& s, const shipment_made& e);
  static void apply(shipment_state& s, const packages_delivered& e);

private:
  struct notice;
  static std::uint32_t size_of(const std::vector<delivered_part>& parts);
  std::vector<notice> notices(const std::vector<delivered_part>& parts) const;
  void tell(const std::vector<notice>& all) const;
  void pass_on(delivery_round m, std::uint32_t delivered) const;

  const std::shared_ptr<const directory> shop_;
};

} // namespace troupe::commerce
