// SPDX-License-Identifier: BSD-3-Clause

// Claim: what the analytics of the order simulation add up while events come in, in any interleaving and whatever fails, is
// what a recomputation finds; and a difference is found out. Observed on pipelines fed by several threads.
#include <troupe/testing/fault_injector.hpp>

#include "order_simulation/analytics/order_steps.hpp"
#include "order_simulation/analytics/replay_sales.hpp"
#include "order_simulation/replay_oracle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace order_simulation;
using namespace std::chrono_literals;

namespace {

using troupe::pipeline::event_duration;
using troupe::pipeline::event_time;

std::shared_ptr<const sales_terms> small_terms() {
  auto t = std::make_shared<sales_terms>();
  t->interval = 1s;
  t->countries = {"here", "there"};
  t->has_sellers = true;
  return t;
}

troupe::system_options failing(double rate) {
  troupe::system_options o;
  o.workers = 2;
  if (rate > 0)
    o.faults = std::make_shared<troupe::fault_injector>(rate, 7);
  return o;
}

/// Sales of few days, many products and two countries; one in seven is a return.
std::vector<sale> random_sales(std::mt19937_64& random, std::size_t n) {
  std::vector<sale> all;
  for (std::size_t i = 0; i < n; ++i) {
    sale s;
    s.time = event_time{std::chrono::seconds{1'300'000'000 + static_cast<std::int64_t>(i / 40 + random() % 5)}};
    s.units = static_cast<std::int32_t>(random() % 9 + 1) * (random() % 7 == 0 ? -1 : 1);
    s.amount = s.units * static_cast<std::int64_t>(random() % 5'000);
    s.product = static_cast<std::uint32_t>(random() % (random() % 2 == 0 ? 20 : 3'000));
    s.country = static_cast<std::uint16_t>(random() % 2);
    s.counts = s.units > 0;
    all.push_back(s);
  }
  return all;
}

sales_answers recount_of(const std::vector<sale>& sales, const sales_terms& terms) {
  sales_recount recount{terms};
  for (const sale& s : sales)
    recount.add(s);
  return recount.answers();
}

/// What a pipeline makes of the sales, which several threads give it at once.
sales_report run_live(const std::vector<sale>& sales, double crash_rate) {
  const auto terms = small_terms();
  live_tables<sale, product_tables> live{3, product_tables{terms}};
  troupe::system system{failing(crash_rate)};
  live.start(system, sales_plan(live, 3));
  std::vector<std::thread> makers;
  constexpr std::size_t threads = 3;
  for (std::size_t m = 0; m < threads; ++m)
    makers.emplace_back([&, m] {
      for (std::size_t i = m; i < sales.size(); i += threads) {
        live.feed().push(m, {&sales[i], 1});
        if (i % 1'000 < threads)
          live.feed().flush();
      }
    });
  for (auto& t : makers)
    t.join();
  auto r = live.finish();
  r.terms = terms;
  return r;
}

std::vector<invariant> verdicts_on(const sales_report& live, const sales_answers& batch) {
  std::vector<invariant> all;
  append_sales_invariants(all, live, batch);
  return all;
}

std::size_t broken(const std::vector<invariant>& all) {
  return static_cast<std::size_t>(std::ranges::count(all, false, &invariant::holds));
}

std::string data_file(const char* path) {
  const char* const given = std::getenv("TROUPE_DATA"); // NOLINT(concurrency-mt-unsafe)
  return given != nullptr ? std::string{given} + "/" + path
                          : std::string{TROUPE_SOURCE_DIR} + "/../shared/data/" + path;
}

} // namespace

TEST_CASE("order analytics: live sums are the recomputed ones whatever fails and however events interleave") {
  std::mt19937_64 random{20111209};
  std::uint64_t failures = 0;
  for (const double crash_rate : {0.0, 0.02, 0.2}) {
    CAPTURE(crash_rate);
    const auto sales = random_sales(random, 20'000);
    const auto live = run_live(sales, crash_rate);
    const auto batch = recount_of(sales, *live.terms);
    for (const auto& i : verdicts_on(live, batch)) {
      CAPTURE(i.name);
      CHECK(i.holds);
    }
    CHECK(live.answers == batch);
    CHECK(live.taken == sales.size());
    failures += live.failures;
  }
  CHECK(failures > 0);
}

TEST_CASE("order analytics: sellers' dashboards are shown though no order is open, and only where there are sellers") {
  std::mt19937_64 random{2};
  auto live = run_live(random_sales(random, 100), 0);
  REQUIRE(live.answers.dashboards.empty());
  const auto shown = [&] {
    return std::ranges::any_of(to_text(live), [](const text_section& s) { return s.title == "Sellers' dashboards"; });
  };
  CHECK(shown());
  auto without = *live.terms;
  without.has_sellers = false;
  live.terms = std::make_shared<sales_terms>(without);
  CHECK_FALSE(shown());
}

TEST_CASE("order analytics: a live answer that is off by one breaks its invariant") {
  std::mt19937_64 random{1};
  const auto sales = random_sales(random, 2'000);
  const auto good = run_live(sales, 0);
  const auto batch = recount_of(sales, *good.terms);
  REQUIRE(broken(verdicts_on(good, batch)) == 0);
  const auto breaks = [&](auto change) {
    auto bad = good;
    change(bad);
    return broken(verdicts_on(bad, batch));
  };
  CHECK(breaks([](auto& r) { ++r.answers.cells.begin()->second.amount; }) == 1);
  CHECK(breaks([](auto& r) { ++r.answers.cells.begin()->second.returned_amount; }) == 1);
  CHECK(breaks([](auto& r) { r.answers.cells.erase(r.answers.cells.begin()); }) == 1);
  CHECK(breaks([](auto& r) { ++r.answers.total.units; }) == 1);
  CHECK(breaks([](auto& r) { --r.answers.products.begin()->second.amount; }) == 1);
  CHECK(breaks([](auto& r) { std::swap(r.answers.top[3], r.answers.top[4]); }) == 1);
  CHECK(breaks([](auto& r) { ++r.answers.orders.begin()->second; }) == 1);
  CHECK(breaks([](auto& r) { r.answers.anomalies.push_back({1, 2, 1.0}); }) == 1);
  CHECK(breaks([](auto& r) { r.answers.dashboards[1].orders = 1; }) == 1);
  CHECK(breaks([](auto& r) { r.hot.add(1); }) == 1);
  CHECK(breaks([](auto& r) { --r.taken; }) == 1);
  CHECK(breaks([](auto& r) { ++r.lost; }) == 1);
}

TEST_CASE("order analytics: a frequent product that is missing from the bounded answer is found out") {
  bounded_top hot{sales_table::counters};
  std::map<std::uint32_t, sales_sum> exact;
  for (std::uint32_t p = 0; p < 2'000; ++p) {
    exact[p].units = p < 10 ? 500 : 1;
    hot.add(p, static_cast<std::uint64_t>(exact[p].units));
  }
  CHECK(within_stated_error(hot, exact));
  std::swap(exact[0].units, exact[1'999].units);
  CHECK_FALSE(within_stated_error(hot, exact));
}

TEST_CASE("order analytics: a burst and a silence are anomalies, a steady rate is none") {
  order_counts_by_interval steady;
  for (std::int64_t i = 0; i < 100; ++i)
    steady[i] = 100 + static_cast<std::uint64_t>(i % 7);
  CHECK(anomalies_of(steady).empty());
  auto burst = steady;
  burst[60] = 500;
  REQUIRE(anomalies_of(burst).size() == 1);
  CHECK(anomalies_of(burst)[0].interval == 60);
  CHECK(anomalies_of(burst)[0].orders == 500);
  auto silence = steady;
  silence.erase(70); // no entry at all
  REQUIRE(anomalies_of(silence).size() == 1);
  CHECK(anomalies_of(silence)[0] == rate_anomaly{70, 0, anomalies_of(silence)[0].score});
}

TEST_CASE("order analytics: months and intervals are those of the calendar") {
  sales_terms t;
  t.interval = 24h;
  const auto at = [](std::int64_t s) { return event_time{std::chrono::seconds{s}}; };
  CHECK(t.period_name(t.period_of(at(1'323'435'000)), 0) == "2011-12");
  CHECK(t.period_name(t.period_of(at(1'322'697'599)), 0) == "2011-11");
  CHECK(t.interval_name(t.interval_of(at(1'323'435'000)), 0) == "2011-12-09");
  CHECK(t.interval_of(at(-1)) == -1);
  CHECK(t.money(-1'234'567) == "-12,345.67");
  t.period = 10s;
  CHECK(t.period_of(at(-1)) == -1);
  CHECK(t.period_name(5, 3) == "20 s");
}

TEST_CASE("order analytics: makers wait while the pipeline is behind, and go on when it has caught up") {
  feed_gauge gauge;
  gauge.gave(feed_gauge::in_flight_max);
  CHECK_FALSE(gauge.has_room());
  int called = 0;
  gauge.when_room([&] { ++called; });
  gauge.took(10);
  CHECK(gauge.has_room());
  CHECK(called == 0); // not for every event that leaves
  gauge.took(feed_gauge::in_flight_max / 2);
  CHECK(called == 1);
  gauge.when_room([&] { ++called; });
  CHECK(called == 2);
  gauge.took(1);
  CHECK(called == 2);
}

TEST_CASE("order analytics: the sample log by either rule has the oracle's amount, and its returns apart") {
  const auto log = order_log::load(TROUPE_SOURCE_DIR "/examples/order_simulation/sample_orders.csv");
  for (const auto rule : {replay_rule::line, replay_rule::order})
    for (const std::int64_t stock : {0, 50, 200, 1'000'000}) {
      const auto known = replay_by_rule(log, rule, stock);
      const auto a = recount_replay(log, log.rows().size(), rule, stock, *replay_terms(log, rule));
      CHECK(a.total.amount == known.accepted_amount_milli);
      CHECK(a.total.units == known.accepted_units);
      CHECK(a.total.returned_units == known.returned_units);
      CHECK(a.total.orders == known.accepted);
    }
}

TEST_CASE("order analytics: a resumed replay has what earlier processes settled, and what it settles itself") {
  const auto log = order_log::load(TROUPE_SOURCE_DIR "/examples/order_simulation/sample_orders.csv");
  for (const auto rule : {replay_rule::line, replay_rule::order})
    for (const bool whole : {true, false}) {
      options opts;
      opts.rule = rule;
      opts.opening_stock = 50;
      const auto known = replay_by_rule(log, rule, opts.opening_stock);
      replay_totals totals;
      totals.accepted_amount_milli = known.accepted_amount_milli;
      totals.accepted_units = known.accepted_units;
      totals.returned_units = known.returned_units;
      troupe::system system{failing(0.1)};
      replay_sales sales{opts, log};
      sales.start(system);
      sales.rebuild([](std::uint64_t item) { return item % 3 != 0; });
      if (whole)
        sales.rebuild([](std::uint64_t item) { return item % 3 == 0; });
      report r;
      sales.finish(r, log.rows().size(), totals);
      CHECK(r.invariants.size() == 6);
      CHECK((broken(r.invariants) == 0) == whole);
    }
}

TEST_CASE("order analytics: the real log has the published net revenue, countries and accepted amounts") {
  const auto path = data_file("online-retail/online_retail.csv");
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: the Online Retail log is not at hand; set TROUPE_DATA to the directory above online-retail");
    return;
  }
  const auto log = order_log::load(path);
  CHECK(log.countries().size() == 38);
  const auto recount = [&](replay_rule rule, std::int64_t stock) {
    return recount_replay(log, log.rows().size(), rule, stock, *replay_terms(log, rule));
  };
  const auto all = recount(replay_rule::line, opening_stock_max);
  CHECK(all.total.revenue() == 9'747'747'934); // thousandths of a pound
  CHECK(all.products.size() == 4'070);
  std::int64_t months = 0;
  for (const auto& [cell, sum] : all.cells)
    months += sum.revenue();
  CHECK(months == 9'747'747'934);
  CHECK(all.cells.begin()->first.second == 2010 * 12 + 11);
  CHECK(recount(replay_rule::line, 1000).total.amount == 4'862'885'554);
  CHECK(recount(replay_rule::order, 1000).total.amount == 1'812'467'312);
}
