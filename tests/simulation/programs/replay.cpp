// SPDX-License-Identifier: BSD-3-Clause
#include "order_simulation/crash_plan.hpp"
#include "order_simulation/order_log.hpp"
#include "order_simulation/replay_audit.hpp"
#include "order_simulation/replay_clerk.hpp"
#include "order_simulation/replay_line.hpp"
#include "order_simulation/replay_oracle.hpp"
#include "order_simulation/replay_order.hpp"
#include "order_simulation/replay_staff.hpp"
#include "programs.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

namespace simulated {

using namespace order_simulation;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t opening_stock = 60;

/// The first rows of the sample that comes with the order simulation.
const order_log& sample_log() {
  static const order_log log = [] {
    constexpr int lines = 120;
    std::ifstream all{std::string{TROUPE_SOURCE_DIR} + "/examples/order_simulation/sample_orders.csv"};
    std::string text, line;
    for (int i = 0; i <= lines && std::getline(all, line); ++i)
      text += line + '\n';
    return order_log::parse(text, "sample_orders.csv", bad_rows::fail);
  }();
  return log;
}

template <class Stock>
std::vector<stock_figures> inspect(const std::vector<troupe::ref<Stock>>& stocks) {
  std::vector<stock_figures> result;
  for (const auto& s : stocks) {
    for (int i = 0;; ++i) { // an injected failure may get in between
      auto answer = s.ask(inspect_stock{}, 30s).try_get();
      if (!answer && i < 100)
        continue;
      result.push_back(std::move(answer).value());
      break;
    }
  }
  return result;
}

void run_replay(troupe::simulation& sim, replay_rule rule) {
  const auto& log = sample_log();
  options opts;
  opts.crash_rate = 0.2; // for the retries that the plan then allows
  opts.opening_stock = opening_stock;
  opts.rule = rule;
  const crash_plan plan{opts, nullptr}; // the simulation has its own journals
  acknowledgements told{opts};
  replay_staff staff{.log = log, .rule = rule, .plan = plan, .told = told};
  sim.invariant("no message is refused", [&] { return staff.refused == 0; });
  sim.run([&](troupe::system& sys) {
    const auto root = sys.supervise("replay", plan.supervisor(troupe::one_for_one));
    const auto stock_options = plan.child(rule == replay_rule::line ? lines_in_flight_max + 1
                                                                    : repetitions_max * 4 * orders_in_flight_max + 1);
    const auto stocks = root.supervise("stock", plan.supervisor(troupe::dynamic));
    for (const std::string_view view : log.stock_codes()) {
      const std::string code{view};
      if (rule == replay_rule::line)
        staff.lines.push_back(stocks.start<line_stock>(code, stock_options, &staff, code, opening_stock));
      else
        staff.parts.push_back(stocks.start<order_stock>(code, stock_options, &staff, code, opening_stock));
    }
    staff.orders = root.supervise("orders", plan.supervisor(troupe::dynamic));
    staff.desk = root.start<clerk>("clerk", plan.child(lines_in_flight_max + 16), &staff);
    staff.desk.tell(open_intake{});
    sys.run_until_idle();
    replay_progress progress;
    for (int i = 0; i < 3'600 && !progress.over; ++i) {
      sys.advance(1s);
      if (auto answer = staff.desk.ask(check_progress{}, 30s).try_get())
        progress = *answer;
    }
    if (!progress.over)
      throw troupe::violation{"the replay comes to its end", "not within an hour"};
    const auto figures = rule == replay_rule::line ? inspect(staff.lines) : inspect(staff.parts);
    replay_outcome o;
    o.rule = rule;
    o.opening_stock = opening_stock;
    o.accepted = progress.totals.accepted;
    o.rejected = progress.totals.rejected;
    o.accepted_units = progress.totals.accepted_units;
    o.rejected_units = progress.totals.rejected_units;
    o.accepted_amount_milli = progress.totals.accepted_amount_milli;
    o.returned_units = progress.totals.returned_units;
    std::vector<std::int64_t> available;
    for (const auto& f : figures)
      available.push_back(f.available);
    complete_outcome(o, log, available);
    report r;
    append_replay_invariants(r, log, {progress.rows_fed, progress.totals, figures}, o);
    for (const auto& i : r.invariants)
      if (!i.holds)
        throw troupe::violation{i.name, "at the audit"};
  });
}

application replay_by(const char* name, const char* made_by, replay_rule rule) {
  // What follows kept events is sent at most once: a handler that fails among these sends is beyond the promise.
  return {{.name = name,
           .faults = {.crash = 0.02, .crash_at_sends = false, .preempt = 0.2, .slow = 0.02, .slow_by = 50ms},
           .run_for = 3h,
           .turns_max = 3'000'000},
          [rule](troupe::simulation& sim) { run_replay(sim, rule); },
          made_by};
}

} // namespace

application replay_by_line() { return replay_by("replay-line", "replay_by_line", replay_rule::line); }
application replay_by_order() { return replay_by("replay-order", "replay_by_order", replay_rule::order); }

} // namespace simulated
