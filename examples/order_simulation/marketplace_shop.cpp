// SPDX-License-Identifier: BSD-3-Clause
#include "marketplace_shop.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <random>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;
using namespace troupe::commerce;

constexpr std::size_t provider_count = 64;                           // each writes one charge at a time
constexpr std::uint64_t seller_actors = 1 + 2 * products_per_seller; // with products and stocks
constexpr std::uint64_t customer_actors = 4;
constexpr payment_patience patience{.timeout = 10s}; // longer than any queue at a provider
constexpr std::size_t small_mailbox = 10'000;        // of an actor that one of many clients talks to now and then

troupe::supervisor_options crowd(const crash_plan& plan) {
  auto o = plan.supervisor(troupe::dynamic);
  o.children_max = 100'000'000;
  return o;
}

/// One for twelve drivers: with fewer desks more deliveries share a round, with more of them a desk's failure interrupts
/// fewer. And so many that none has more deliveries under way than one actor may have suspended.
std::uint32_t desks_for(const options& opts, std::uint32_t drivers) {
  constexpr std::uint64_t drivers_each = 12, clients_each = 500;
  const auto clients = opts.rate ? std::uint64_t{drivers} * marketplace_shop::open_slots : opts.concurrency;
  const auto parts = [](std::uint64_t all, std::uint64_t each) { return (all + each - 1) / each; };
  const auto wanted = std::max(parts(drivers, drivers_each), parts(clients, clients_each));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, drivers));
}

} // namespace

marketplace_shop::marketplace_shop(const options& opts, const crash_plan& plan, troupe::system& system,
                                   std::uint32_t drivers, const opening_view& opening)
    : root{system.supervise("marketplace", plan.supervisor(troupe::one_for_one))},
      directory{std::make_shared<troupe::commerce::directory>(opts.customers, opts.sellers)} {
  directory->begin_setup();
  open_logistics(opts, plan, drivers);
  std::atomic<std::uint64_t> opened{0};
  const auto show = [&, all = opts.sellers * seller_actors + opts.customers * customer_actors] {
    if (opening)
      opening(opened, all);
  };
  auto with_sellers =
      std::async(opening ? std::launch::async : std::launch::deferred, [&] { open_sellers(opts, plan, opened); });
  if (!opening)
    with_sellers.wait(); // which does it
  open_customers(opts, plan, [&] {
    constexpr std::uint64_t often = 1'000;
    if ((opened += customer_actors) % often < customer_actors)
      show();
  });
  while (with_sellers.wait_for(100ms) != std::future_status::ready)
    show();
  with_sellers.get();
  open_diaries(plan, drivers);
  directory->end_setup();
}

void marketplace_shop::open_diaries(const crash_plan& plan, std::uint32_t drivers) {
  const auto group = root.supervise("diaries", plan.supervisor(troupe::one_for_one));
  for (std::uint32_t i = 0; i < drivers; ++i)
    diaries.push_back(group.start<marketplace_diary>("diary-" + std::to_string(i), plan.child(small_mailbox), i));
}

void marketplace_shop::open_logistics(const options& opts, const crash_plan& plan, std::uint32_t drivers) {
  const auto logistics = root.supervise("logistics", plan.supervisor(troupe::one_for_one));
  const auto child = plan.child(troupe::mailbox_options::capacity_max);
  for (std::uint32_t i = 0; i < shipments; ++i) {
    partitions.push_back(logistics.start<shipment>("shipment-" + std::to_string(i), child, i, directory));
    directory->add_shipment(partitions.back());
  }
  for (std::uint32_t i = 0; i < desks_for(opts, drivers); ++i) {
    desks.push_back(logistics.start<delivery_desk>("desk-" + std::to_string(i), child, i, directory));
    directory->add_desk(desks.back());
  }
}

/// Prices of 0.00 to 99.99, freights of 0.00 to 9.99, by the seed.
void marketplace_shop::open_sellers(const options& opts, const crash_plan& plan, std::atomic<std::uint64_t>& opened) {
  const auto group = root.supervise("sellers", crowd(plan));
  const auto child = plan.child(small_mailbox);
  std::mt19937_64 random{opts.seed};
  prices.reserve(opts.products);
  products.reserve(opts.products);
  stocks.reserve(opts.products);
  sellers.reserve(opts.sellers);
  for (std::uint32_t s = 1; s <= opts.sellers; ++s) {
    std::vector<money> list;
    for (std::uint32_t p = 1; p <= products_per_seller; ++p) {
      opening_price price;
      price.price.cents = static_cast<std::int64_t>(random() % 10'000);
      price.freight.cents = static_cast<std::int64_t>(random() % 1'000);
      const product_key key{{s}, p};
      prices.push_back(price);
      list.push_back(price.price);
      std::shared_ptr<const troupe::commerce::directory> known = directory;
      products.push_back(group.start<troupe::commerce::product>({}, child, key, price.price, price.freight, known));
      stocks.push_back(group.start<stock>({}, child, key, opening_stock));
      directory->set(key, products.back(), stocks.back());
    }
    sellers.push_back(group.start<seller>({}, child, seller_id{s}, list));
    directory->set(seller_id{s}, sellers.back());
    opened += seller_actors;
  }
}

void marketplace_shop::open_customers(const options& opts, const crash_plan& plan,
                                      const std::function<void()>& opened) {
  const auto provider_group = root.supervise("providers", plan.supervisor(troupe::one_for_one));
  const provider_options behaviour{.declined = declined, .seed = opts.seed, .remembered = 500};
  const auto roomy = plan.child(troupe::mailbox_options::capacity_max);
  for (std::size_t i = 0; i < provider_count; ++i)
    providers.push_back(provider_group.start<simulated_provider>("provider-" + std::to_string(i), roomy,
                                                                 static_cast<std::uint32_t>(i), behaviour));
  const auto group = root.supervise("customers", crowd(plan));
  const auto child = plan.child(small_mailbox);
  std::shared_ptr<const troupe::commerce::directory> known = directory;
  carts.reserve(opts.customers);
  orders.reserve(opts.customers);
  payments.reserve(opts.customers);
  customers.reserve(opts.customers);
  for (std::uint32_t c = 1; c <= opts.customers; ++c) {
    const customer_id who{c};
    carts.push_back(group.start<cart>({}, child, who, known));
    orders.push_back(group.start<order>({}, child, who, known));
    payments.push_back(group.start<payment>({}, child, who, provider_ref{providers[c % provider_count]}, patience));
    customers.push_back(group.start<customer>({}, child, who));
    directory->set(who, {carts.back(), orders.back(), payments.back(), customers.back()});
    opened();
  }
}

} // namespace order_simulation
