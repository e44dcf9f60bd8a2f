// SPDX-License-Identifier: BSD-3-Clause

// Claim: a replay by order whose process has ended in the middle of an order is finished by the next one, with exact answers.
// Observed: a first process in which one stock actor is gone before it gets its part, so that the journals hold what a kill at
// that moment leaves; then the report of a whole resumed run.
#include <troupe/journal/memory_store.hpp>
#include <troupe/system.hpp>

#include "order_simulation/acknowledgements.hpp"
#include "order_simulation/crash_plan.hpp"
#include "order_simulation/order_log.hpp"
#include "order_simulation/replay.hpp"
#include "order_simulation/replay_clerk.hpp"
#include "order_simulation/replay_oracle.hpp"
#include "order_simulation/replay_order.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

using namespace order_simulation;
using namespace std::chrono_literals;

namespace {

options by_order(const std::string& log_file) {
  options o;
  o.scenario = scenario_kind::replay;
  o.rule = replay_rule::order;
  o.opening_stock = 3;
  o.input = log_file;
  return o;
}

/// The first process: the order is given up because of A, and says so to A alone.
void decide_without_b(const options& opts, const std::shared_ptr<troupe::memory_store>& store, const order_log& log) {
  const crash_plan plan{opts, store};
  acknowledgements told{opts};
  replay_staff staff{.log = log, .rule = opts.rule, .plan = plan, .told = told};
  troupe::system system{plan.system()};
  const auto root = system.supervise("replay", plan.supervisor(troupe::one_for_one));
  const auto stocks = root.supervise("stock", plan.supervisor(troupe::dynamic));
  for (const char* const code : {"A", "B"})
    staff.parts.push_back(stocks.start<order_stock>(code, plan.child(1'000), &staff, code, opts.opening_stock));
  staff.parts[1].stop();
  REQUIRE(system.wait_stopped(staff.parts[1], 60s));
  staff.orders = root.supervise("orders", plan.supervisor(troupe::dynamic));
  staff.desk = root.start<clerk>("clerk", plan.child(1'000), &staff);
  staff.desk.tell(open_intake{});
  while (staff.parts[0].ask(parts_query{}, 60s).get().verdicts.empty())
    ;
  (void)system.shutdown();
}

} // namespace

TEST_CASE("replay resume: a verdict that is known before a part is taken waits for it") {
  const support::temporary_directory folder;
  const std::string file = folder / "log.csv";
  std::ofstream{file} << order_log::header
                      << "\n1,A,x,5,2010-12-01 08:26:00,1,,France\n1,B,x,2,2010-12-01 08:26:00,1,,France\n"
                         "2,B,x,3,2010-12-01 08:27:00,1,,France\n";
  const auto opts = by_order(file);
  const auto log = order_log::load(file);
  const auto store = std::make_shared<troupe::memory_store>();
  decide_without_b(opts, store, log);

  live_view view{stderr, live_view::style::silent};
  const std::atomic<bool> interrupted{false};
  const report r = run_replay(opts, {store, "memory", 2}, view, interrupted);
  for (const invariant& i : r.invariants) {
    CAPTURE(i.name);
    CHECK(i.holds);
  }
  REQUIRE(r.replay);
  CHECK(*r.replay == replay_by_rule(log, opts.rule, opts.opening_stock));
}
