// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/messages.hpp>

#include <troupe/ref.hpp>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace troupe::commerce {

// What the actors of the shop know of each other: messages, not types.
using stock_ref = ref_to<reserve_units, confirm_reservation, cancel_reservation, set_stock_version>;
using product_ref = ref_to<update_price, replace_product>;
using seller_ref = ref_to<quote_price, quote_prices, publish_price, note_invoice, note_payment, void_invoice,
                          note_ready, note_packages, note_concluded>;
using cart_ref = ref_to<add_item, add_items, checkout, abandon_cart>;
using order_ref = ref_to<place_order, order_moved>;
using payment_ref = ref_to<process_payment>;
using customer_ref = ref_to<note_purchase, note_arrival>;
using provider_ref = ref_to<charge, refund>;
using shipment_ref = ref_to<ship_order, deliver_oldest, delivery_round>;
using desk_ref = ref_to<round_ended>;

/// Who is who in one shop: arrays of refs, found by dense ids. A lookup of an id that nobody was added for throws.
///
/// Actors are given a shared pointer to it when they start, and look others up when they need them, so a shop is put
/// together in any order. Threads: fill it before the first message is sent; after that, any may read.
///
/// Actors that go on by themselves with what an earlier process has left ask first whether the shop is `open`.
class directory {
public:
  struct customer_actors {
    cart_ref cart;
    order_ref order;
    payment_ref payment;
    customer_ref customer;
  };

  directory() = default;
  /// With room for so many, so that adding does not move what is there.
  directory(std::size_t customers, std::size_t sellers) {
    customers_.reserve(customers);
    sellers_.reserve(sellers);
  }

  const customer_actors& of(customer_id c) const { return customers_.at(c.value - 1u); }
  const seller_ref& seller(seller_id s) const { return sellers_.at(s.value - 1u).self; }
  const stock_ref& stock(product_key p) const { return sellers_.at(p.seller.value - 1u).stocks.at(p.number - 1u); }
  const product_ref& product(product_key p) const {
    return sellers_.at(p.seller.value - 1u).products.at(p.number - 1u);
  }
  const shipment_ref& shipment(std::uint32_t partition) const { return shipments_.at(partition); }
  const desk_ref& desk(std::uint32_t number) const { return desks_.at(number); }

  /// Whether everybody is there: true, but between `begin_setup` and `end_setup`.
  bool open() const noexcept { return open_.load(std::memory_order_acquire); } // pairs with end_setup
  void begin_setup() noexcept { open_.store(false, std::memory_order_relaxed); }
  void end_setup() noexcept { open_.store(true, std::memory_order_release); } // publishes what was filled in

  std::uint32_t shipments() const noexcept { return static_cast<std::uint32_t>(shipments_.size()); }
  /// The partition that ships to this customer.
  std::uint32_t partition_of(customer_id c) const noexcept { return c.value % shipments(); }

  void set(customer_id c, customer_actors actors) { place(customers_, c.value - 1u) = std::move(actors); }
  void set(seller_id s, seller_ref r) { place(sellers_, s.value - 1u).self = std::move(r); }
  void set(product_key p, product_ref made, stock_ref kept) {
    auto& s = place(sellers_, p.seller.value - 1u);
    place(s.products, p.number - 1u) = std::move(made);
    place(s.stocks, p.number - 1u) = std::move(kept);
  }
  /// Partitions are numbered from 0, in the order of adding; so are desks.
  void add_shipment(shipment_ref r) { shipments_.push_back(std::move(r)); }
  void add_desk(desk_ref r) { desks_.push_back(std::move(r)); }

private:
  struct seller_actors {
    seller_ref self;
    std::vector<product_ref> products;
    std::vector<stock_ref> stocks;
  };

  template <class T>
  static T& place(std::vector<T>& items, std::size_t at) {
    if (at >= items.size())
      items.resize(at + 1);
    return items[at];
  }

  std::vector<customer_actors> customers_;
  std::vector<seller_actors> sellers_;
  std::vector<shipment_ref> shipments_;
  std::vector<desk_ref> desks_;
  std::atomic<bool> open_{true};
};

} // namespace troupe::commerce
