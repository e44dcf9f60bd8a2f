// SPDX-License-Identifier: BSD-3-Clause

// Claim: a flash sale oversells nothing and answers every customer exactly once, below and above its capacity, and
// whatever fails. Observed on the reports of whole runs.
#include <troupe/journal/memory_store.hpp>

#include "order_simulation/flash_sale.hpp"
#include "order_simulation/flash_sale_record.hpp"
#include "order_simulation/flash_sale_shop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>

using namespace order_simulation;
using namespace std::chrono_literals;

namespace {

report run(const options& opts, bool interrupt = false) {
  live_view view{stderr, live_view::style::silent};
  const std::atomic<bool> interrupted{interrupt};
  return run_flash_sale(opts, {std::make_shared<troupe::memory_store>()}, view, interrupted);
}

void check(const report& r) {
  for (const invariant& i : r.invariants) {
    CAPTURE(i.name);
    CHECK(i.holds);
  }
  CHECK(r.orders.submitted == r.orders.completed + r.orders.rejected);
  const auto& m = r.messages;
  if (r.supervision.restarts == 0)
    CHECK(m.accepted == m.handled);
  else // dropped: what was repeated to an order that had ended meanwhile
    CHECK(m.accepted == m.handled + m.expired + m.dropped);
}

} // namespace

TEST_CASE("flash_sale: at twice the capacity all customers are answered and nothing is oversold") {
  options opts;
  opts.orders = 5'000;
  const report r = run(opts);
  check(r);
  CHECK(r.orders.submitted == 5'000);
  CHECK(r.orders.completed > 0);
  CHECK(r.orders.rejected > 0);
  REQUIRE(r.latency_ms.size() == 2);
  CHECK(r.latency_ms[0].transaction == "accepted");
  CHECK(r.latency_ms[1].transaction == "shed");
  CHECK(r.notes.size() == 6);
}

TEST_CASE("flash_sale: with failures all customers are answered and nothing is oversold") {
  for (const double crash_rate : {0.001, 0.02}) {
    options opts;
    opts.orders = 3'000;
    opts.rate = 10'000;
    opts.crash_rate = crash_rate;
    opts.workers = 2;
    CAPTURE(crash_rate);
    const report r = run(opts);
    check(r);
    CHECK(r.supervision.crashes_injected > 0);
    CHECK(r.supervision.restarts == r.supervision.crashes_injected);
    CHECK(r.supervision.escalations == 0);
  }
}

TEST_CASE("flash_sale: far above the capacity the edge sheds") {
  options opts;
  opts.orders = 20'000;
  opts.rate = 1e9;
  opts.skew = key_skew::zipf;
  const report r = run(opts);
  check(r);
  CHECK(r.orders.rejected > 10'000);
}

TEST_CASE("flash_sale: an interrupted sale reports about who came") {
  options opts;
  const report r = run(opts, true);
  check(r);
  CHECK(r.orders.submitted < opts.orders);
}

TEST_CASE("flash_sale: an order takes its time again when it is tried again") {
  for (std::uint64_t order = 0; order < 1'000; ++order) {
    REQUIRE(payment_time(order) == payment_time(order));
    REQUIRE(payment_time(order) >= 3ms);
    REQUIRE(payment_time(order) < 5ms);
  }
}

TEST_CASE("sale_record: a second answer to one order is noticed") {
  sale_record record{100, 3};
  record.note(100, sale_outcome::sold, 2, 1ms);
  record.note(101, sale_outcome::busy_edge, 0, 1us);
  CHECK(record.repeated() == 0);
  record.note(100, sale_outcome::sold_out, 0, 1ms);
  CHECK(record.repeated() == 1);
  CHECK(record.answered() == 3);
  CHECK(record.served() == 2);
  CHECK(record.sold_units() == 2);
  CHECK(record.accepted().count() == 2);
  CHECK(record.shed().count() == 1);
}
