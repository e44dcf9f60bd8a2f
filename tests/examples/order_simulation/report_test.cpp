// SPDX-License-Identifier: BSD-3-Clause

// Claim: the JSON report has exactly the promised keys, in every scenario. Observed on the parsed JSON and on the text
// for a person.
#include "order_simulation/report.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

using order_simulation::replay_outcome;
using order_simulation::replay_rule;
using order_simulation::report;
using json = nlohmann::ordered_json;

namespace {

using keys = std::vector<std::string>;

keys keys_of(const json& object) {
  keys result;
  for (const auto& [key, value] : object.items())
    result.push_back(key);
  return result;
}

report sample() {
  report r;
  r.scenario = "marketplace";
  r.seed = 18446744073709551615u;
  r.workers = 2;
  r.elapsed_s = 1.5;
  r.orders = {.submitted = 1'234'567, .completed = 1'234'560, .rejected = 4, .failed = 2, .in_flight = 1};
  r.throughput = {.transactions_per_s = 50'000.4, .orders_per_s = 20'000, .messages_per_s = 1e6};
  r.latency_ms = {{"CUSTOMER_SESSION", 0.1, 0.2, 0.3, 0.4, 0.5}, {"PRICE_UPDATE", 1, 2, 3, 4, 5}};
  r.messages = {.accepted = 21, .handled = 6, .expired = 5, .dropped = 4, .quarantined = 3, .queued = 3};
  r.supervision = {.crashes_injected = 7, .restarts = 8, .escalations = 9};
  r.invariants = {{"accounting law", true, 100'000}, {"no oversell", true, 4070}};
  return r;
}

report replay_sample(replay_rule rule) {
  report r = sample();
  r.scenario = "replay";
  replay_outcome o;
  o.rule = rule;
  o.opening_stock = 1000;
  o.accepted = 10;
  o.rejected = 11;
  o.accepted_units = 12;
  o.rejected_units = 13;
  o.accepted_amount_milli = -1'234'567'890;
  o.returned_units = 14;
  o.codes = 15;
  o.final_total_available = 16;
  o.final_stock_sha256 = "abc";
  r.replay = o;
  return r;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("report: the keys are exactly the promised ones") {
  const json j = json::parse(to_json(sample()));
  CHECK(keys_of(j) == keys{"scenario", "seed", "workers", "journal", "elapsed_s", "orders", "throughput", "latency_ms",
                           "messages", "supervision", "invariants"});
  CHECK(keys_of(j["orders"]) == keys{"submitted", "completed", "rejected", "failed", "in_flight"});
  CHECK(keys_of(j["throughput"]) == keys{"transactions_per_s", "orders_per_s", "messages_per_s"});
  CHECK(keys_of(j["latency_ms"]) == keys{"CUSTOMER_SESSION", "PRICE_UPDATE"});
  CHECK(keys_of(j["latency_ms"]["PRICE_UPDATE"]) == keys{"p50", "p90", "p99", "p999", "max"});
  CHECK(keys_of(j["messages"]) == keys{"accepted", "handled", "expired", "dropped", "quarantined", "queued"});
  CHECK(keys_of(j["supervision"]) == keys{"crashes_injected", "restarts", "escalations"});
  REQUIRE(j["invariants"].size() == 2);
  CHECK(keys_of(j["invariants"][0]) == keys{"name", "holds", "checked"});
}

TEST_CASE("report: values keep their type and their digits") {
  const json j = json::parse(to_json(sample()));
  CHECK(j["seed"].get<std::uint64_t>() == 18446744073709551615u);
  CHECK(j["workers"] == 2);
  CHECK(j["elapsed_s"] == 1.5);
  CHECK(j["orders"]["submitted"] == 1'234'567);
  CHECK(j["orders"]["in_flight"] == 1);
  CHECK(j["latency_ms"]["CUSTOMER_SESSION"]["p999"] == 0.4);
  CHECK(j["messages"]["quarantined"] == 3);
  CHECK(j["supervision"]["escalations"] == 9);
  CHECK(j["invariants"][0] == json{{"name", "accounting law"}, {"holds", true}, {"checked", 100'000}});
  CHECK(to_json(sample()).back() == '\n');
}

TEST_CASE("report: one invariant is still a list and no latency is still an object") {
  report r = sample();
  r.invariants.resize(1);
  r.latency_ms.clear();
  const json j = json::parse(to_json(r));
  CHECK(j["invariants"].is_array());
  CHECK(j["invariants"].size() == 1);
  CHECK(j["invariants"][0].is_object());
  CHECK(j["latency_ms"].is_object());
  r.invariants.clear();
  CHECK(json::parse(to_json(r))["invariants"].is_array());
}

TEST_CASE("report: analytics come last, with amounts as integers and names as text") {
  report r = sample();
  auto terms = std::make_shared<order_simulation::sales_terms>();
  terms->countries = {"Norway"};
  r.analytics.emplace();
  r.analytics->terms = terms;
  order_simulation::sales_recount recount{*terms};
  recount.add({.time = {}, .amount = 12'345, .units = 3, .product = 7, .country = 0, .counts = true});
  r.analytics->answers = recount.answers();
  const json j = json::parse(to_json(r));
  CHECK(keys_of(j).back() == "analytics");
  CHECK(keys_of(j["analytics"]) == keys{"money_decimals", "events", "revenue", "by_country_and_period", "top_products",
                                        "bounded_memory_top", "order_rate", "dashboards"});
  CHECK(j["analytics"]["revenue"]["revenue"] == 12'345);
  CHECK(j["analytics"]["by_country_and_period"][0]["country"] == "Norway");
  CHECK(j["analytics"]["by_country_and_period"][0]["period"] == "1970-01");
  CHECK(contains(to_text(r, false), "123.45"));
}

TEST_CASE("report: replay by line has lines and rejected units") {
  const json j = json::parse(to_json(replay_sample(replay_rule::line)));
  CHECK(keys_of(j).back() == "replay");
  CHECK(keys_of(j["replay"]) == keys{"rule", "opening_stock", "accepted_lines", "rejected_lines", "accepted_units",
                                     "rejected_units", "accepted_amount_milli", "returned_units", "codes",
                                     "final_total_available", "final_stock_sha256"});
  CHECK(j["replay"]["rule"] == "line");
  CHECK(j["replay"]["accepted_lines"] == 10);
  CHECK(j["replay"]["rejected_units"] == 13);
  CHECK(j["replay"]["accepted_amount_milli"] == -1'234'567'890);
}

TEST_CASE("report: replay by order has orders and no rejected units") {
  const json j = json::parse(to_json(replay_sample(replay_rule::order)));
  CHECK(keys_of(j["replay"]) == keys{"rule", "opening_stock", "accepted_orders", "rejected_orders", "accepted_units",
                                     "accepted_amount_milli", "returned_units", "codes", "final_total_available",
                                     "final_stock_sha256"});
  CHECK(j["replay"]["rule"] == "order");
  CHECK(j["replay"]["rejected_orders"] == 11);
}

TEST_CASE("report: figures that are no numbers and names that are no text still give valid JSON") {
  report r = sample();
  r.throughput.orders_per_s = std::numeric_limits<double>::quiet_NaN();
  r.elapsed_s = std::numeric_limits<double>::infinity();
  r.invariants.front().name = "bad \xff \" name";
  const json j = json::parse(to_json(r));
  CHECK(j["throughput"]["orders_per_s"] == 0.0);
  CHECK(j["elapsed_s"] == 0.0);
  CHECK(contains(to_text(r, false), "orders                                 0\n"));
}

TEST_CASE("report: a person sees grouped digits and a verdict per invariant") {
  report r = replay_sample(replay_rule::line);
  r.skipped_rows = 3;
  r.first_skipped = "log.csv:3: field UnitPrice: '?' is not a decimal number";
  CHECK(r.holds());
  r.invariants.back().holds = false;
  CHECK_FALSE(r.holds());
  const std::string text = to_text(r, false);
  CHECK(contains(text, "submitted                      1,234,567\n"));
  CHECK(contains(text, "transactions                      50,000\n"));
  CHECK(contains(text, "accepted amount           -1,234,567.890\n"));
  CHECK(contains(text, "holds   accounting law (100,000 checked)\n"));
  CHECK(contains(text, "BROKEN  no oversell (4,070 checked)\n"));
  CHECK(contains(text, "first: log.csv:3"));
  CHECK_FALSE(contains(text, "\033"));
  CHECK(contains(to_text(r, true), "\033[1;31mBROKEN"));
}

TEST_CASE("report: amounts below one unit keep their sign") {
  report r = replay_sample(replay_rule::line);
  r.replay->accepted_amount_milli = -7;
  CHECK(contains(to_text(r, false), " -0.007\n"));
  r.replay->accepted_amount_milli = std::numeric_limits<std::int64_t>::min();
  CHECK(contains(to_text(r, false), "-9,223,372,036,854,775.808\n"));
}

TEST_CASE("report: latency figures are milliseconds") {
  troupe::analytics::latency_histogram h;
  for (int i = 1; i <= 1000; ++i)
    h.record(std::chrono::microseconds{i});
  const auto figures = order_simulation::figures_of("T", h);
  CHECK(figures.transaction == "T");
  CHECK(figures.p50 == doctest::Approx(0.5));
  CHECK(figures.p90 == doctest::Approx(0.9));
  CHECK(figures.p99 == doctest::Approx(0.99));
  CHECK(figures.p999 == doctest::Approx(0.999));
  CHECK(figures.max == doctest::Approx(1.0));
}
