// SPDX-License-Identifier: BSD-3-Clause

// Claim: the marketplace's analytics follow its orders through what their journals keep: dashboards and sales are those of a
// model, in any interleaving of the journals; and the journals' actors wait when the analytics are behind. Observed on the
// pipeline, and on an observed store.
#include <troupe/journal/memory_store.hpp>
#include <troupe/testing/fault_injector.hpp>

#include "order_simulation/analytics/market_sales.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace order_simulation;
using namespace troupe::commerce;
using namespace std::chrono_literals;

namespace {

using troupe::pipeline::event_time;

constexpr std::uint32_t sellers = 12;

/// The steps of one order, and what they must lead to.
struct story {
  std::vector<shop_event> events;
  bool paid = false;
  bool open = true;
};

shop_event step_of(shop_step step, order_key order, std::int64_t at, line_set packages = 0) {
  return {.step = step, .time = event_time{std::chrono::milliseconds{at}}, .order = order, .packages = packages};
}

story random_story(std::mt19937_64& random, order_key order) {
  story s;
  const auto lines = 1 + random() % 6;
  const auto at = static_cast<std::int64_t>(random() % 60'000);
  for (std::size_t i = 0; i < lines; ++i) {
    auto e = step_of(shop_step::ordered, order, at);
    e.first = i == 0;
    e.package = static_cast<std::uint8_t>(i);
    e.quantity = static_cast<std::uint32_t>(1 + random() % 10);
    e.item = {{static_cast<std::uint32_t>(1 + random() % sellers)}, static_cast<std::uint32_t>(1 + i)};
    e.goods.cents = static_cast<std::int64_t>(random() % 10'000);
    e.incentive.cents = static_cast<std::int64_t>(random() % 10 == 0 ? e.goods.cents / 10 : 0);
    e.freight.cents = static_cast<std::int64_t>(random() % 1'000);
    s.events.push_back(e);
  }
  const auto end = random() % 10;
  if (end == 0)
    return s;
  if (end == 1) {
    s.events.push_back(step_of(shop_step::refused, order, at + 3));
    s.open = false;
    return s;
  }
  s.paid = true;
  s.events.push_back(step_of(shop_step::paid, order, at + 3));
  if (end == 2)
    return s;
  const line_set all = (line_set{1} << lines) - 1;
  const line_set some = all & random();
  std::vector<shop_event> rest{step_of(shop_step::ready, order, at + 5)};
  if (some != 0)
    rest.push_back(step_of(shop_step::arrived, order, 0, some));
  if (end > 5) {
    rest.push_back(step_of(shop_step::arrived, order, 0, all & ~some));
    rest.push_back(step_of(shop_step::delivered, order, at + 9));
    s.open = false;
  }
  // The customer's journal and the order's are two: their events may come in either order.
  for (std::size_t i = 1; i < rest.size(); ++i)
    if (random() % 3 == 0 && (rest[i].step == shop_step::arrived) != (rest[i - 1].step == shop_step::arrived))
      std::swap(rest[i - 1], rest[i]);
  s.events.insert(s.events.end(), rest.begin(), rest.end());
  return s;
}

/// What the sellers' boards must be: from all events of each open order at once.
std::map<std::uint32_t, seller_board> boards_of(const std::vector<story>& stories) {
  std::map<std::uint32_t, seller_board> boards;
  for (const auto& s : stories) {
    if (!s.open)
      continue;
    line_set there = 0;
    bool ready = false;
    for (const auto& e : s.events) {
      there |= e.packages;
      ready = ready || e.step == shop_step::ready;
    }
    std::map<std::uint32_t, bool> seen;
    for (const auto& e : s.events) {
      if (e.step != shop_step::ordered)
        continue;
      auto& b = boards[e.item.seller.value];
      b.orders += seen[e.item.seller.value] ? 0 : 1;
      seen[e.item.seller.value] = true;
      ++b.items;
      b.goods += e.goods;
      b.incentive += e.incentive;
      b.freight += e.freight;
      const bool arrived = (there >> e.package & 1) != 0;
      const auto status = arrived  ? order_status::in_transit
                          : ready  ? order_status::ready_for_shipment
                          : s.paid ? order_status::payment_processed
                                   : order_status::invoiced;
      b.entries[{e.order, e.package}] = {e.item.number, e.quantity, status, arrived, e.goods, e.incentive, e.freight};
    }
  }
  return boards;
}

sales_answers recount_of(const std::vector<story>& stories, const sales_terms& terms) {
  sales_recount recount{terms};
  for (const auto& s : stories)
    if (s.paid) {
      const auto paid = std::ranges::find(s.events, shop_step::paid, &shop_event::step);
      for (const auto& e : s.events)
        if (e.step == shop_step::ordered)
          recount.add({.time = paid->time,
                       .amount = (e.goods - e.incentive + e.freight).cents,
                       .units = static_cast<std::int32_t>(e.quantity),
                       .product = (e.item.seller.value - 1) * 10 + e.item.number - 1,
                       .country = country_of(e.order.customer),
                       .counts = e.first});
    }
  auto a = recount.answers();
  a.dashboards = boards_of(stories);
  return a;
}

/// Gives the pipeline the events of all stories, those of each in their order, otherwise at random, from two threads.
sales_report run_live(const std::vector<story>& stories, std::uint64_t seed, double crash_rate) {
  const auto terms = market_terms();
  live_tables<shop_event, market_table> live{4, market_table{terms}};
  troupe::system_options o;
  o.workers = 2;
  if (crash_rate > 0)
    o.faults = std::make_shared<troupe::fault_injector>(crash_rate, seed);
  troupe::system system{o};
  live.start(system, market_plan(live, 2));
  const auto give = [&](std::size_t half) {
    std::mt19937_64 random{seed + half};
    std::vector<std::size_t> left;
    for (std::size_t i = half; i < stories.size(); i += 2)
      left.push_back(i);
    std::vector<std::size_t> at(stories.size());
    while (!left.empty()) {
      const auto pick = random() % left.size();
      const auto& s = stories[left[pick]];
      auto& next = at[left[pick]];
      // The lines of an order come together.
      std::size_t n = 1;
      if (next == 0)
        while (n < s.events.size() && s.events[n].step == shop_step::ordered)
          ++n;
      live.feed().push(s.events[0].order.customer.value, std::span{s.events}.subspan(next, n));
      next += n;
      if (next == s.events.size())
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(pick));
      if (random() % 10 == 0)
        live.feed().flush();
    }
  };
  std::thread other{[&] { give(1); }};
  give(0);
  other.join();
  auto r = live.finish();
  r.terms = terms;
  return r;
}

/// A watcher that has room or not as it is told.
struct listed_events final : journal_watcher {
  std::optional<std::uint64_t> watches(std::string_view key) override {
    return key.starts_with("seen/") ? std::optional<std::uint64_t>{7} : std::nullopt;
  }
  void kept(std::uint64_t journal, std::span<const troupe::journal_record> events) override {
    CHECK(journal == 7);
    for (const auto& e : events)
      seen.push_back(*static_cast<const int*>(e.value));
  }
  digest begun(std::uint64_t, std::span<const troupe::journal_record> events) override {
    std::vector<int> copy;
    for (const auto& e : events)
      copy.push_back(*static_cast<const int*>(e.value));
    return [this, copy] { seen.insert(seen.end(), copy.begin(), copy.end()); };
  }
  bool has_room() const override { return room; }
  void when_room(std::function<void()> go_on) override { waiting.push_back(std::move(go_on)); }

  std::vector<int> seen;
  std::vector<std::function<void()>> waiting;
  bool room = true;
};

/// A store whose writes end when it is told.
struct slow_store final : troupe::journal_store {
  struct slow_journal final : troupe::journal {
    explicit slow_journal(slow_store& s) : store{s} {}
    status append(const troupe::journal_append&, const std::function<completion()>& done) override {
      store.writing.push_back(done());
      return status::pending;
    }
    void snapshot(const troupe::journal_record&) override {}
    void replay(troupe::journal_visitor&) override {}
    void erase() override {}
    slow_store& store;
  };
  std::shared_ptr<troupe::journal> open(const std::string&, std::span<const troupe::journal_type* const>) override {
    return std::make_shared<slow_journal>(*this);
  }
  std::vector<std::string> keys(std::string_view) override { return {}; }
  std::vector<troupe::owing_journal> unsettled() override { return {}; }
  std::vector<troupe::journal::completion> writing;
};

/// Appends one number, and counts the completions.
struct appender {
  troupe::journal::status add(int value) {
    const troupe::journal_record record{&troupe::journal_type_of<int>, &value};
    troupe::journal_append a{};
    a.events = {&record, 1};
    return journal->append(a, [this]() -> troupe::journal::completion {
      return [this](std::exception_ptr failure) { ++(failure ? failed : completed); };
    });
  }
  std::shared_ptr<troupe::journal> journal;
  int completed = 0;
  int failed = 0;
};

constexpr const troupe::journal_type* int_type = &troupe::journal_type_of<int>;

} // namespace

TEST_CASE("market analytics: dashboards and sales are the model's in any interleaving and whatever fails") {
  std::mt19937_64 random{42};
  for (const double crash_rate : {0.0, 0.5}) {
    CAPTURE(crash_rate);
    std::vector<story> stories;
    for (std::uint32_t c = 1; c <= 300; ++c)
      for (std::uint32_t n = 1; n <= 1 + random() % 6; ++n)
        stories.push_back(random_story(random, {{c}, n}));
    const auto live = run_live(stories, random(), crash_rate);
    const auto batch = recount_of(stories, *live.terms);
    REQUIRE(batch.dashboards.size() == sellers);
    CHECK(live.answers.dashboards == batch.dashboards);
    CHECK(live.answers == batch);
    CHECK(live.given == live.taken);
    CHECK((live.failures > 0) == (crash_rate > 0));
  }
}

TEST_CASE("market analytics: an open order read back from its actor is the one that was followed") {
  order_record known;
  known.number = 3;
  known.status = order_status::ready_for_shipment;
  known.lines = {{.item = {{2}, 1}, .unit_price = {250}, .freight = {40}, .voucher = {25}, .quantity = 4},
                 {.item = {{5}, 9}, .unit_price = {100}, .freight = {10}, .quantity = 1}};
  known.changes = 3;
  known.history[0].status = order_status::invoiced;
  known.history[1].status = order_status::payment_processed;
  known.history[2].status = order_status::ready_for_shipment;
  std::vector<shop_event> events;
  read_shop_events({8}, known, 2, events);
  seller_boards boards;
  open_order open;
  struct {
    void forget() {}
  } context;
  auto emit = [&](const line_step& s) { boards.add(s); };
  for (const auto& e : events)
    order_steps{}.on(context, open, e, emit);
  const auto all = boards.all();
  REQUIRE(all.size() == 2);
  const auto& first = all.at(2);
  CHECK(first.invoice().cents == 4 * 250 - 25 + 40);
  CHECK(first.entries.at({{{8}, 3}, 0}).status == order_status::ready_for_shipment);
  CHECK(all.at(5).entries.at({{{8}, 3}, 1}).delivered);
  CHECK(std::ranges::count(events, true, &shop_event::earlier) == 2); // its sale was counted when it was made
}

TEST_CASE("market analytics: an event is shown once when it is kept, and its actor waits while there is no room") {
  listed_events watcher;
  observed_store store{std::make_shared<troupe::memory_store>(), watcher};
  appender a{store.open("seen/1", {&int_type, 1})};
  CHECK(a.add(1) == troupe::journal::status::durable);
  CHECK(watcher.seen == std::vector{1});
  watcher.room = false;
  CHECK(a.add(2) == troupe::journal::status::pending);
  CHECK(watcher.seen == std::vector{1, 2});
  CHECK(a.completed == 0);
  REQUIRE(watcher.waiting.size() == 1);
  watcher.waiting[0]();
  CHECK(a.completed == 1);
  appender other{store.open("other/1", {&int_type, 1})};
  CHECK(other.add(3) == troupe::journal::status::durable);
  CHECK(watcher.seen == std::vector{1, 2});
}

TEST_CASE("market analytics: of a slow store an event is shown when it is durable, and never if the write fails") {
  listed_events watcher;
  auto slow = std::make_shared<slow_store>();
  observed_store store{slow, watcher};
  appender a{store.open("seen/1", {&int_type, 1})};
  CHECK(a.add(1) == troupe::journal::status::pending);
  CHECK(watcher.seen.empty());
  slow->writing[0](nullptr);
  CHECK(watcher.seen == std::vector{1});
  CHECK(a.completed == 1);
  watcher.room = false;
  a.add(2);
  slow->writing[1](nullptr);
  CHECK(watcher.seen == std::vector{1, 2});
  CHECK(a.completed == 1);
  REQUIRE(watcher.waiting.size() == 1);
  watcher.waiting[0]();
  CHECK(a.completed == 2);
  a.add(3);
  slow->writing[2](std::make_exception_ptr(troupe::journal_error{"the disk is full"}));
  CHECK(a.failed == 1);
  CHECK(watcher.seen == std::vector{1, 2});
}

TEST_CASE("market analytics: the record gives back what was ordered and paid") {
  sales_ledger ledger{2};
  std::mt19937_64 random{5};
  std::vector<story> stories;
  for (std::uint32_t c = 1; c <= 200; ++c)
    stories.push_back(random_story(random, {{c}, 1}));
  for (const auto& s : stories)
    ledger.add(s.events[0].order.customer.value, s.events);
  std::int64_t amount = 0, lines = 0, paid = 0;
  for (const auto& s : stories) {
    paid += s.paid ? 1 : 0;
    for (const auto& e : s.events)
      if (e.step == shop_step::ordered) {
        ++lines;
        amount += (e.goods - e.incentive + e.freight).cents;
      }
  }
  for (unsigned twice = 0; twice < 2; ++twice) {
    std::int64_t amount_read = 0, lines_read = 0, paid_read = 0;
    ledger.for_each([&](const shop_event& e) {
      paid_read += e.step == shop_step::paid ? 1 : 0;
      lines_read += e.step == shop_step::ordered ? 1 : 0;
      amount_read += e.goods.cents;
    });
    CHECK(amount_read == amount);
    CHECK(lines_read == lines);
    CHECK(paid_read == paid);
  }
}
