// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/cart.hpp>
#include <troupe/commerce/customer.hpp>
#include <troupe/commerce/delivery_desk.hpp>
#include <troupe/commerce/order.hpp>
#include <troupe/commerce/payment.hpp>
#include <troupe/commerce/payment_provider.hpp>
#include <troupe/commerce/product.hpp>
#include <troupe/commerce/seller.hpp>
#include <troupe/commerce/shipment.hpp>
#include <troupe/commerce/stock.hpp>

#include <troupe/system.hpp>

#include "crash_plan.hpp"
#include "marketplace_diary.hpp"
#include "options.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace order_simulation {

/// What the clients know of a product before anybody has bought or changed it.
struct opening_price {
  troupe::commerce::money price{};
  troupe::commerce::money freight{};
};

/// The marketplace's population, under supervision:
///
///     marketplace     one_for_one
///       sellers         dynamic   seller, product, stock
///       customers       dynamic   customer, cart, order, payment
///       logistics       one_for_one  shipment partitions, delivery desks
///       providers       one_for_one
///       diaries         one_for_one  what the drivers' customers were told
///
/// Threads: immutable once built.
class marketplace_shop {
public:
  static constexpr std::uint32_t shipments = 100;
  static constexpr std::int64_t opening_stock = 10'000;
  static constexpr double declined = 0.01; // of the payments

  /// Clients of one driver in an open loop: below what one actor may have suspended at a time.
  static constexpr std::uint32_t open_slots = 900;

  /// How many actors there are, of all that there will be.
  using opening_view = std::function<void(std::uint64_t opened, std::uint64_t all)>;

  /// Starts everybody: sellers and customers beside each other, and `opening` is called now and then meanwhile, on this
  /// thread; without it one after the other.
  marketplace_shop(const options& opts, const crash_plan& plan, troupe::system& system, std::uint32_t drivers,
                   const opening_view& opening = {});

  /// The delivery desk of one driver's clients.
  const troupe::ref<troupe::commerce::delivery_desk>& desk(std::uint32_t driver) const {
    return desks[driver % desks.size()];
  }

  troupe::commerce::product_key product(std::uint64_t index) const {
    return {{static_cast<std::uint32_t>(index / products_per_seller) + 1},
            static_cast<std::uint32_t>(index % products_per_seller) + 1};
  }

  troupe::supervisor root;
  std::shared_ptr<troupe::commerce::directory> directory;
  std::vector<opening_price> prices; ///< By index of the product.

  // By index: customer or seller id less 1.
  std::vector<troupe::ref<troupe::commerce::cart>> carts;
  std::vector<troupe::ref<troupe::commerce::order>> orders;
  std::vector<troupe::ref<troupe::commerce::payment>> payments;
  std::vector<troupe::ref<troupe::commerce::customer>> customers;
  std::vector<troupe::ref<troupe::commerce::seller>> sellers;
  std::vector<troupe::ref<troupe::commerce::product>> products;
  std::vector<troupe::ref<troupe::commerce::stock>> stocks;
  std::vector<troupe::ref<troupe::commerce::shipment>> partitions;
  std::vector<troupe::ref<troupe::commerce::simulated_provider>> providers;
  std::vector<troupe::ref<troupe::commerce::delivery_desk>> desks;
  std::vector<troupe::ref<marketplace_diary>> diaries; ///< By driver.

private:
  void open_sellers(const options& opts, const crash_plan& plan, std::atomic<std::uint64_t>& opened);
  void open_customers(const options& opts, const crash_plan& plan, const std::function<void()>& opened);
  void open_diaries(const crash_plan& plan, std::uint32_t drivers);
  void open_logistics(const options& opts, const crash_plan& plan, std::uint32_t drivers);
};

} // namespace order_simulation
