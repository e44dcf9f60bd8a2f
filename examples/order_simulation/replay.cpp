// SPDX-License-Identifier: BSD-3-Clause
#include "replay.hpp"

#include "analytics/replay_sales.hpp"
#include "ask_all.hpp"
#include "crash_plan.hpp"
#include "order_log.hpp"
#include "replay_audit.hpp"
#include "replay_clerk.hpp"
#include "replay_line.hpp"
#include "replay_order.hpp"
#include "replay_recovery.hpp"
#include "replay_staff.hpp"
#include "text/output_file.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// The actors of one replay. Starts them in the constructor, runs them, and asks them for their answers.
class replay_run {
public:
  replay_run(const options& opts, const run_journal& journal, const order_log& log, steady::time_point began)
      : opts_{opts}, journal_{journal}, began_{began}, told_{opts}, plan_{opts, journal.store}, sales_{opts, log},
        staff_{.log = log, .rule = opts.rule, .plan = plan_, .told = told_, .life = journal.life},
        system_{plan_.system()}, root_{system_.supervise("replay", plan_.supervisor(troupe::one_for_one))} {
    const bool by_line = opts.rule == replay_rule::line;
    const std::size_t window = by_line ? lines_in_flight_max : orders_in_flight_max;
    // A stock actor may have waiting: every line; or, by order, a part of each order under way, and the verdicts on
    // orders that it handled a window ago, and on those that it handles now. And one request for its figures.
    const auto stock_options = plan_.child(by_line ? window + 1 : repetitions_max * 4 * window + 1);
    auto stock_group = plan_.supervisor(troupe::dynamic);
    stock_group.children_max = std::max<std::size_t>(log.stock_codes().size(), 1);
    stocks_ = root_.supervise("stock", stock_group);
    for (const std::string_view view : log.stock_codes()) {
      const std::string code{view};
      const std::string name = code.find('/') == std::string::npos ? code : std::string{}; // a slash separates names
      if (by_line)
        staff_.lines.push_back(stocks_.start<line_stock>(name, stock_options, &staff_, code, opts.opening_stock));
      else
        staff_.parts.push_back(stocks_.start<order_stock>(name, stock_options, &staff_, code, opts.opening_stock));
    }
    auto order_group = plan_.supervisor(troupe::dynamic);
    order_group.children_max = 4 * orders_in_flight_max; // those that have just ended may still be there
    staff_.orders = root_.supervise("orders", order_group);
    sales_.start(system_);
    if (journal.resumed()) {
      recover(staff_);
      sales_.rebuild([this](std::uint64_t item) { return was_settled(item); });
    }
    settled_before_ = staff_.book.settled;
    sales_.follow(staff_, [this] { staff_.desk.tell(open_intake{}); });
    staff_.desk = root_.start<clerk>("clerk", plan_.child(window + 16), &staff_);
  }

  void run(live_view& view, const std::atomic<bool>& interrupted) {
    staff_.desk.tell(open_intake{});
    bool closing = false;
    auto shown_at = steady::now();
    for (;;) {
      // Short enough to end promptly, long enough to cost nothing.
      std::this_thread::sleep_for(5ms);
      progress_ = answer_of(staff_.desk, check_progress{});
      if (staff_.refused > 0)
        throw std::runtime_error{"replay: a mailbox was too small for what the window allows"};
      if (progress_.over)
        return;
      if (interrupted && !closing) {
        closing = true;
        staff_.desk.tell(close_intake{});
      }
      if (steady::now() - shown_at >= 100ms) {
        shown_at = steady::now();
        show(view);
      }
    }
  }

  /// By stock code.
  std::vector<stock_figures> inspect() {
    return staff_.rule == replay_rule::line ? inspect(staff_.lines) : inspect(staff_.parts);
  }

  report finish(const order_log& log, const std::vector<stock_figures>& stocks) {
    replay_outcome outcome = outcome_of(log, stocks);
    const double elapsed_s = std::chrono::duration<double>(steady::now() - began_).count();
    report r;
    r.scenario = name_of(scenario_kind::replay);
    r.seed = opts_.seed;
    r.journal = journal_.name;
    r.life = journal_.life;
    r.workers = system_.workers();
    r.elapsed_s = elapsed_s;
    sales_.finish(r, progress_.rows_fed, progress_.totals);
    const auto end = system_.shutdown();
    const replay_totals& t = progress_.totals;
    r.orders.completed = static_cast<std::uint64_t>(t.accepted);
    r.orders.rejected = static_cast<std::uint64_t>(t.rejected);
    r.orders.in_flight = progress_.fed - progress_.settled;
    r.orders.submitted = r.orders.completed + r.orders.rejected + r.orders.in_flight;
    r.throughput.transactions_per_s = static_cast<double>(progress_.settled - settled_before_) / elapsed_s;
    r.throughput.orders_per_s = static_cast<double>(r.orders.submitted) / elapsed_s;
    r.throughput.messages_per_s = static_cast<double>(end.books.handled) / elapsed_s;
    r.latency_ms.push_back(figures_of(name_of(opts_.rule), staff_.latencies));
    r.messages = counts_of(end.books);
    r.supervision = plan_.counts(system_);
    append_replay_invariants(r, log, {progress_.rows_fed, progress_.totals, stocks}, outcome);
    append_system_invariants(r, end);
    r.replay = std::move(outcome);
    r.skipped_rows = log.skipped_rows();
    r.first_skipped = log.first_skipped();
    return r;
  }

private:
  /// After a recovery, and before the clerk starts: an earlier process has settled it.
  bool was_settled(std::uint64_t item) const {
    const auto& b = staff_.book;
    if (staff_.rule == replay_rule::line)
      return item < b.booked_below[staff_.log.rows()[item].stock_code];
    return item < b.next_order &&
           !std::ranges::binary_search(b.again, item, {}, &std::pair<std::uint64_t, std::size_t>::first);
  }

  template <class Stock>
  std::vector<stock_figures> inspect(const std::vector<troupe::ref<Stock>>& stocks) {
    std::vector<stock_figures> result;
    ask_all(stocks, inspect_stock{}, [&](std::size_t, const stock_figures& s) { result.push_back(s); });
    return result;
  }

  replay_outcome outcome_of(const order_log& log, const std::vector<stock_figures>& stocks) const {
    const replay_totals& t = progress_.totals;
    replay_outcome o;
    o.rule = opts_.rule;
    o.opening_stock = opts_.opening_stock;
    o.accepted = t.accepted;
    o.rejected = t.rejected;
    o.accepted_units = t.accepted_units;
    o.rejected_units = t.rejected_units;
    o.accepted_amount_milli = t.accepted_amount_milli;
    o.returned_units = t.returned_units;
    std::vector<std::int64_t> available;
    available.reserve(stocks.size());
    for (const stock_figures& s : stocks)
      available.push_back(s.available);
    complete_outcome(o, log, available);
    return o;
  }

  void show(live_view& view) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_);
    const std::size_t rows = std::max<std::size_t>(staff_.log.rows().size(), 1);
    const double since_s = std::chrono::duration<double>(steady::now() - last_at_).count();
    snapshot now;
    now.elapsed = elapsed;
    now.progress = static_cast<double>(progress_.rows_fed) / static_cast<double>(rows);
    now.done = progress_.settled;
    now.in_flight = progress_.fed - progress_.settled;
    now.per_s = static_cast<double>(progress_.settled - last_settled_) / since_s;
    now.p50_ms = progress_.p50_ms;
    now.p99_ms = progress_.p99_ms;
    now.restarts = system_.restarts();
    now.notices = sales_.lines(system_.now());
    now.queues = {{"stock", stocks_.books().queued}, {"clerk", staff_.desk.depth()}};
    if (staff_.rule == replay_rule::order)
      now.queues.push_back({"orders", staff_.orders.books().queued});
    view.show(now);
    last_at_ = steady::now();
    last_settled_ = progress_.settled;
  }

  const options& opts_;
  std::uint64_t settled_before_ = 0;
  const run_journal& journal_;
  const steady::time_point began_;
  acknowledgements told_;
  const crash_plan plan_;
  replay_sales sales_; // before the system, whose pipeline it feeds
  replay_staff staff_; // before the system, whose actors point to it
  troupe::system system_;
  troupe::supervisor root_;
  troupe::supervisor stocks_;
  replay_progress progress_{};
  steady::time_point last_at_ = began_;
  std::uint64_t last_settled_ = 0;
};

} // namespace

report run_replay(const options& opts, const run_journal& journal, live_view& view,
                  const std::atomic<bool>& interrupted) {
  const auto began = steady::now();
  const order_log log = order_log::load(opts.input, opts.skip_bad_rows ? bad_rows::skip : bad_rows::fail);
  replay_run run{opts, journal, log, began};
  run.run(view, interrupted);
  report r = run.finish(log, run.inspect());
  if (!opts.final_stock.empty())
    text::write_output(opts.final_stock, r.replay->final_stock);
  return r;
}

} // namespace order_simulation
