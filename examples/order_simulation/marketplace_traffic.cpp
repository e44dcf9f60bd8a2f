// SPDX-License-Identifier: BSD-3-Clause
#include "marketplace_traffic.hpp"

#include <algorithm>

namespace order_simulation {

namespace {

using namespace troupe::commerce;

constexpr unsigned draws_max = 50; // for something that is free, before something else is drawn

/// A counter that only one thread writes.
void add(std::atomic<std::uint64_t>& figure, std::int64_t n) {
  figure.store(figure.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(n), std::memory_order_relaxed);
}

} // namespace

void recent_latencies::record(std::chrono::nanoseconds latency) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count() / 1000, 0));
  add(counts[std::min(scale::index_of(us), buckets - 1)], 1);
}

double recent_latencies::upper_end_ms(std::size_t bucket) {
  return static_cast<double>(scale::upper_end(bucket)) / 1000;
}

std::vector<priced_item> marketplace_plan::first_shown(std::uint32_t seller) const {
  if (!found.empty())
    return found[seller - 1];
  std::vector<priced_item> opening;
  for (std::uint32_t p = 0; p < products_per_seller; ++p)
    opening.push_back({p + 1, 0, shop.prices[(seller - 1) * products_per_seller + p].price});
  return opening;
}

driver_book::driver_book(marketplace_plan& p, std::uint32_t n, std::uint32_t drivers)
    : plan{p}, number{n}, random{(p.opts.seed + p.epoch * 0x2545f4914f6cdd1d) * 0x9e3779b97f4a7c15 + n} {
  const auto part = [&](std::uint64_t all) { return all / drivers + (n < all % drivers ? 1 : 0); };
  share = p.opts.duration ? ~std::uint64_t{0} : part(p.opts.transactions);
  open_loop_gap_ns = p.opts.rate ? 1e9 * drivers / *p.opts.rate : 0;
  slots.resize(p.opts.rate ? marketplace_shop::open_slots : part(p.opts.concurrency));
  for (std::uint64_t c = n; c < p.opts.customers; c += drivers)
    idle_customers.push_back(static_cast<std::uint32_t>(c));
  std::shuffle(idle_customers.begin(), idle_customers.end(), random);
}

std::uint64_t driver_book::draw_product() {
  return (plan.sellers(random) - 1) * products_per_seller + plan.products(random) - 1;
}

void driver_book::draw(client_slot& s, troupe::time_point intended) {
  s.intended = intended;
  s.tid = next_tid();
  s.priced_before = false;
  s.sums = {};
  const auto at = random() % 100;
  s.kind = static_cast<transaction_kind>(std::ranges::find_if(transaction_mix, [&](auto bound) { return at < bound; }) -
                                         transaction_mix.begin());
  const bool update = s.kind == transaction_kind::price_update || s.kind == transaction_kind::product_update;
  if ((s.kind == transaction_kind::checkout && !draw_session(s)) || (update && !draw_update(s)))
    s.kind = transaction_kind::dashboard; // every customer, or every product that was tried, is busy
  if (s.kind == transaction_kind::dashboard)
    s.product = plan.sellers(random) - 1;
  s.active = true;
  --quota;
  add(begun, 1);
  add(in_flight, 1);
}

/// 1 to 10 distinct products, 1 to 10 units of each, with a voucher of a tenth of the unit price for one line in 20.
bool driver_book::draw_session(client_slot& s) {
  if (idle_customers.empty())
    return false;
  s.customer = idle_customers.front();
  idle_customers.pop_front();
  s.lines.clear();
  const auto wanted = 1 + random() % 10;
  for (unsigned i = 0; i < draws_max && s.lines.size() < wanted; ++i) {
    const auto index = draw_product();
    const auto key = plan.shop.product(index);
    if (std::ranges::find(s.lines, key, &order_line::item) != s.lines.end())
      continue;
    const auto& shown = plan.shown[index];
    order_line l;
    l.item = key;
    l.version = shown.version.load();
    l.unit_price.cents = shown.price.load();
    l.freight = plan.shop.prices[index].freight;
    l.quantity = static_cast<std::uint32_t>(1 + random() % 10);
    if (random() % 20 == 0)
      l.voucher.cents = l.unit_price.cents / 10;
    s.lines.push_back(l);
  }
  return true;
}

bool driver_book::draw_update(client_slot& s) {
  for (unsigned i = 0; i < draws_max; ++i) {
    s.product = draw_product();
    auto& shown = plan.shown[s.product];
    if (shown.updating.exchange(true))
      continue;
    const auto old = shown.price.load();
    // A cent at least: updates that change nothing cannot be told apart in what carts show.
    s.price.cents = old + std::max<std::int64_t>(old * static_cast<std::int64_t>(1 + random() % 9) / 100, 1);
    return true;
  }
  return false;
}

void driver_book::end(client_slot& s, troupe::time_point at, bool failed_one) {
  const auto kind = static_cast<std::size_t>(s.kind);
  if (failed_one) {
    ++s.sums.failed[kind];
  } else {
    ++s.sums.ended[kind];
    ++ended;
    latencies[kind].record(at - s.intended);
    recent.record(at - s.intended);
  }
  sums += s.sums;
  unwritten.push_back({{s.tid, s.sums}, s.kind, s.customer, s.product});
  s.active = false;
  add(done, 1);
  add(in_flight, -1);
}

void driver_book::begin(const options& opts) {
  completed_before = sums.orders_completed;
  quota = opts.duration ? share : share - std::min(share, sums.transactions());
  mean_gap_ns = open_loop_gap_ns;
}

void driver_book::written(std::size_t n) {
  for (; n > 0; --n) {
    const auto& e = unwritten.front();
    if (e.kind == transaction_kind::checkout)
      idle_customers.push_back(static_cast<std::uint32_t>(e.customer));
    if (e.kind == transaction_kind::price_update || e.kind == transaction_kind::product_update)
      plan.shown[e.product].updating = false;
    unwritten.pop_front();
  }
}

void driver_book::take_up(client_slot& s, troupe::time_point at) {
  s = std::move(recovered.front());
  recovered.pop_front();
  s.intended = at;
  s.active = true;
  add(begun, 1);
  add(in_flight, 1);
}

} // namespace order_simulation
