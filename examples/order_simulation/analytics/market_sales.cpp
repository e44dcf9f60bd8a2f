// SPDX-License-Identifier: BSD-3-Clause
#include "market_sales.hpp"

#include <troupe/journal/memory_store.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;
using namespace troupe::commerce;

constexpr std::size_t shards = 16; // of the feed, by customer
constexpr auto patience = 30s;
constexpr std::size_t asks_max = 512; // under way at once

struct home {
  const char* country;
  std::uint32_t share; // of a thousand customers
};
constexpr std::array<home, 12> homes{{{"Brazil", 400},
                                      {"Germany", 120},
                                      {"France", 110},
                                      {"United Kingdom", 90},
                                      {"Italy", 70},
                                      {"Spain", 60},
                                      {"Netherlands", 40},
                                      {"Poland", 35},
                                      {"Denmark", 25},
                                      {"Portugal", 20},
                                      {"Switzerland", 20},
                                      {"Norway", 10}}};

/// The number behind the prefix, or nothing.
std::optional<std::uint64_t> number_behind(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix))
    return std::nullopt;
  std::uint64_t number = 0;
  const auto* const end = key.data() + key.size();
  const auto [at, error] = std::from_chars(key.data() + prefix.size(), end, number);
  return error == std::errc{} && at == end ? std::optional{number} : std::nullopt;
}

/// Asks all of them, many at a time, and gives each answer to `take(index, answer)`, in order.
template <class Ref, class Question, class Take>
void ask_each(const std::vector<Ref>& whom, const Question& question, Take take) {
  std::deque<troupe::reply<typename Question::reply>> under_way;
  std::size_t next = 0;
  for (std::size_t i = 0; i < whom.size(); ++i) {
    for (; next < whom.size() && under_way.size() < asks_max; ++next)
      under_way.push_back(whom[next].ask(question, patience));
    take(i, std::move(under_way.front()).get());
    under_way.pop_front();
  }
}

std::uint32_t product_number(product_key p) {
  return static_cast<std::uint32_t>((p.seller.value - 1) * products_per_seller + p.number - 1);
}

/// What the actors have counted themselves, in the journals' own states.
struct actors_account {
  std::map<std::uint16_t, std::int64_t> paid_by_country;
  std::vector<std::int64_t> revenue_by_seller;
  std::vector<std::int64_t> units_by_product;
  std::map<std::uint32_t, seller_board> dashboards;
};

seller_board board_of(const seller_state& s) {
  seller_board b;
  b.orders = s.view.orders;
  b.items = s.view.totals.items;
  b.goods = s.view.totals.goods;
  b.incentive = s.view.totals.incentive;
  b.freight = s.view.totals.freight;
  for (const auto& e : s.entries)
    b.entries[{e.order, e.package}] = {e.item.number, e.quantity,  e.status, e.delivered,
                                       e.goods,       e.incentive, e.freight};
  return b;
}

actors_account ask_actors(const marketplace_shop& shop) {
  actors_account a;
  ask_each(shop.orders, order_query{}, [&](std::size_t i, const order_state& s) {
    a.paid_by_country[country_of({static_cast<std::uint32_t>(i + 1)})] += s.paid_total.cents;
  });
  ask_each(shop.sellers, seller_query{}, [&](std::size_t i, const seller_state& s) {
    a.revenue_by_seller.push_back(s.revenue.cents);
    if (!s.entries.empty())
      a.dashboards.emplace(static_cast<std::uint32_t>(i + 1), board_of(s));
  });
  ask_each(shop.stocks, stock_query{},
           [&](std::size_t, const stock_state& s) { a.units_by_product.push_back(s.confirmed); });
  return a;
}

/// Whether what was recomputed is what the actors have counted since `before`.
bool agrees(const sales_answers& a, const actors_account& now, const actors_account& before) {
  std::map<std::uint16_t, std::int64_t> countries;
  for (const auto& [cell, sum] : a.cells)
    countries[cell.first] += sum.amount;
  std::vector<std::int64_t> sellers(now.revenue_by_seller.size());
  std::vector<std::int64_t> products(now.units_by_product.size());
  for (const auto& [product, sum] : a.products) {
    sellers.at(product / products_per_seller) += sum.amount;
    products.at(product) += sum.units;
  }
  const auto since = [](const std::vector<std::int64_t>& then, std::size_t i) { return then.empty() ? 0 : then[i]; };
  bool same = true;
  for (const auto& [country, paid] : now.paid_by_country) {
    const auto then = before.paid_by_country.find(country);
    same = same && countries[country] == paid - (then == before.paid_by_country.end() ? 0 : then->second);
  }
  for (std::size_t i = 0; i < sellers.size(); ++i)
    same = same && sellers[i] == now.revenue_by_seller[i] - since(before.revenue_by_seller, i);
  for (std::size_t i = 0; i < products.size(); ++i)
    same = same && products[i] == now.units_by_product[i] - since(before.units_by_product, i);
  return same;
}

} // namespace

std::uint16_t country_of(customer_id who) {
  auto at = static_cast<std::uint32_t>(hash_of(who) % 1000);
  std::uint16_t country = 0;
  for (; at >= homes[country].share; ++country)
    at -= homes[country].share;
  return country;
}

sale sale_of(const line_step& s) {
  return {.time = s.time,
          .amount = s.invoice().cents,
          .units = static_cast<std::int32_t>(s.quantity),
          .product = product_number(s.item),
          .country = country_of(s.order.customer),
          .counts = s.first};
}

void market_table::add(const line_step& s) {
  boards_.add(s);
  if (s.to == order_status::payment_processed && !s.earlier)
    sales_.add(sale_of(s));
}

std::shared_ptr<const sales_terms> market_terms() {
  auto t = std::make_shared<sales_terms>();
  t->period = 10s;
  t->interval = 200ms;
  t->has_sellers = true;
  for (const auto& h : homes)
    t->countries.emplace_back(h.country);
  t->product_name = [](std::uint32_t p) {
    return fmt::format("{}-{}", p / products_per_seller + 1, p % products_per_seller + 1);
  };
  return t;
}

troupe::pipeline::pipeline_plan market_plan(const live_tables<shop_event, market_table>& live, unsigned instances) {
  const auto order = [](const shop_event& e) {
    return std::uint64_t{e.order.customer.value} << 32 | std::uint64_t{e.order.number};
  };
  const auto seller = [](const line_step& s) { return std::uint64_t{s.item.seller.value}; };
  const auto lines = live.feed()
                         .stream()
                         .named("shop events")
                         .key_by(order, instances)
                         .process<line_step>(open_order{}, order_steps{});
  const auto sellers =
      lines.named("orders").key_by(seller, instances).step(tally<line_step, market_table>{live.board()});
  return troupe::pipeline::pipeline_plan{{sellers.named("sellers").close(troupe::pipeline::node::kind::sink)}};
}

struct market_sales::parts {
  explicit parts(const options& opts) : numbers(opts.customers + 1) {}

  std::shared_ptr<const sales_terms> terms = market_terms();
  sales_ledger ledger{shards};
  live_tables<shop_event, market_table> live{
      shards, market_table{terms},
      [this](std::size_t shard, std::span<const shop_event> events) { ledger.add(shard, events); }};
  sales_ticker ticker{*terms};
  actors_account before{}; ///< Of earlier processes.
  /// By customer: of the last order. Each changes with an append to one journal, so one thread at a time.
  std::vector<std::uint32_t> numbers;
  std::atomic<bool> following{false}; ///< What is kept before the start is not shown.
};

market_sales::market_sales(const options& opts) : parts_{opts.analytics ? std::make_unique<parts>(opts) : nullptr} {}

market_sales::~market_sales() = default;

troupe::system_options market_sales::observed(troupe::system_options o) {
  if (parts_ == nullptr)
    return o;
  auto inner = o.journals != nullptr ? std::move(o.journals) : std::make_shared<troupe::memory_store>();
  o.journals = std::make_shared<observed_store>(std::move(inner), static_cast<journal_watcher&>(*this));
  return o;
}

void market_sales::start(troupe::system& system) {
  if (parts_ == nullptr)
    return;
  parts_->live.start(system, market_plan(parts_->live, analysts_for(system.workers())));
  parts_->following = true;
}

void market_sales::rebuild(const marketplace_shop& shop) {
  if (parts_ == nullptr)
    return;
  parts_->before = ask_actors(shop);
  std::vector<customer_state> customers;
  ask_each(shop.customers, customer_query{}, [&](std::size_t, const customer_state& s) { customers.push_back(s); });
  ask_each(shop.orders, order_query{}, [&](std::size_t i, const order_state& s) {
    const customer_id who{static_cast<std::uint32_t>(i + 1)};
    parts_->numbers[who.value] = s.last_number;
    std::vector<shop_event> events;
    for (const auto& o : s.open) {
      const auto* there = customers[i].orders.find([&](const auto& x) { return x.number == o.number; });
      read_shop_events(who, o, there == nullptr ? 0 : there->packages, events);
    }
    parts_->live.feed().push(who.value, events);
  });
}

std::vector<std::string> market_sales::lines(troupe::time_point now) {
  if (parts_ == nullptr || !parts_->following)
    return {};
  parts_->live.feed().flush();
  if (parts_->ticker.wants(now))
    parts_->ticker.look(now, parts_->live.glance());
  return parts_->ticker.lines();
}

// -- what the journals keep -------------------------------------------------------------------------------------------

std::optional<std::uint64_t> market_sales::watches(std::string_view key) {
  const auto order = number_behind("order/", key);
  const auto customer = order ? order : number_behind("customer/", key);
  return customer && *customer < parts_->numbers.size() ? customer : std::nullopt;
}

void market_sales::kept(std::uint64_t customer, std::span<const troupe::journal_record> events) {
  if (!parts_->following)
    return;
  thread_local std::vector<shop_event> read;
  read.clear();
  read_shop_events({static_cast<std::uint32_t>(customer)}, events, read);
  publish(customer, read);
}

journal_watcher::digest market_sales::begun(std::uint64_t customer, std::span<const troupe::journal_record> events) {
  if (!parts_->following)
    return {};
  std::vector<shop_event> read;
  read_shop_events({static_cast<std::uint32_t>(customer)}, events, read);
  if (read.empty())
    return {};
  return [this, customer, read = std::move(read)]() mutable { publish(customer, read); };
}

void market_sales::publish(std::uint64_t customer, std::span<shop_event> events) {
  if (events.empty())
    return;
  for (auto& e : events)
    if (e.step == shop_step::ordered)
      e.order.number = e.first ? ++parts_->numbers[customer] : parts_->numbers[customer];
  parts_->live.feed().push(customer, events);
}

bool market_sales::has_room() const { return parts_->live.feed().gauge().has_room(); }

void market_sales::when_room(std::function<void()> go_on) { parts_->live.feed().gauge().when_room(std::move(go_on)); }

// -- the end ----------------------------------------------------------------------------------------------------------

sales_answers market_sales::recompute() {
  sales_recount recount{*parts_->terms};
  std::unordered_map<std::uint64_t, std::vector<sale>> ordered; // by order
  parts_->ledger.for_each([&](const shop_event& e) {
    const auto key = std::uint64_t{e.order.customer.value} << 32 | e.order.number;
    if (e.step == shop_step::ordered) {
      auto& lines = ordered[key];
      lines.push_back({.time = {},
                       .amount = e.goods.cents,
                       .units = static_cast<std::int32_t>(e.quantity),
                       .product = product_number(e.item),
                       .country = country_of(e.order.customer),
                       .counts = lines.empty()});
      return;
    }
    for (auto& line : ordered[key]) {
      line.time = e.time;
      recount.add(line);
    }
    ordered.erase(key);
  });
  return recount.answers();
}

void market_sales::finish(report& r, const marketplace_shop& shop) {
  if (parts_ == nullptr)
    return;
  const auto now = ask_actors(shop);
  r.analytics = parts_->live.finish();
  r.analytics->terms = parts_->terms;
  auto batch = recompute();
  r.invariants.push_back(
      {"analytics: the record has what orders, sellers and stocks have counted: money by country and "
       "seller, units by product",
       agrees(batch, now, parts_->before), now.units_by_product.size()});
  batch.dashboards = now.dashboards;
  append_sales_invariants(r.invariants, *r.analytics, batch);
}

} // namespace order_simulation
