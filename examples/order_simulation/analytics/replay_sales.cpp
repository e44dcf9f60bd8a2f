// SPDX-License-Identifier: BSD-3-Clause
#include "replay_sales.hpp"

#include <atomic>
#include <chrono>
#include <span>
#include <thread>
#include <utility>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;

/// Decides row by row, or order by order, as the rules say: the batch beside which the actors' answers are held.
class verdicts {
public:
  verdicts(const order_log& log, std::int64_t opening_stock) : available_(log.stock_codes().size(), opening_stock) {}

  bool on_line(const order_row& row) {
    const bool accepted = !row.is_sale() || available_[row.stock_code] >= row.quantity;
    if (accepted)
      available_[row.stock_code] -= row.quantity;
    return accepted;
  }

  bool on_order(std::span<const order_row> rows) {
    std::map<std::uint32_t, std::int64_t> wanted;
    for (const order_row& row : rows)
      if (row.is_sale())
        wanted[row.stock_code] += row.quantity;
      else
        available_[row.stock_code] -= row.quantity;
    for (const auto& [code, quantity] : wanted)
      if (available_[code] < quantity)
        return false;
    for (const auto& [code, quantity] : wanted)
      available_[code] -= quantity;
    return true;
  }

private:
  std::vector<std::int64_t> available_; // by stock code
};

} // namespace

troupe::pipeline::pipeline_plan sales_plan(const live_tables<sale, product_tables>& live, unsigned instances) {
  const auto products = live.feed()
                            .stream()
                            .named("sales")
                            .key_by(&sale::product, instances)
                            .step(tally<sale, product_tables>{live.board()});
  return troupe::pipeline::pipeline_plan{{products.named("products").close(troupe::pipeline::node::kind::sink)}};
}

std::shared_ptr<const sales_terms> replay_terms(const order_log& log, replay_rule rule) {
  auto t = std::make_shared<sales_terms>();
  t->interval = 24h;
  t->counted = rule == replay_rule::line ? "order lines" : "orders";
  t->decimals = 3;
  for (const auto name : log.countries())
    t->countries.emplace_back(name.empty() ? "(none)" : name);
  // Copies: the report outlives the log.
  t->product_name = [codes = std::vector<std::string>(log.stock_codes().begin(), log.stock_codes().end())](
                        std::uint32_t p) { return codes[p]; };
  return t;
}

sale sale_of(const order_row& row, bool counts) {
  return {.time = troupe::pipeline::event_time{row.date.time_since_epoch()},
          .amount = row.amount_milli(),
          .units = row.quantity,
          .product = row.stock_code,
          .country = row.country,
          .counts = counts};
}

void read_item(const order_log& log, replay_rule rule, std::size_t first_row, bool accepted, std::vector<sale>& to) {
  const auto rest = log.rows().subspan(first_row);
  bool counted = false;
  for (const order_row& row : rule == replay_rule::line ? rest.first(1) : leading_order(rest)) {
    if (row.is_sale() && !accepted)
      continue;
    to.push_back(sale_of(row, row.is_sale() && !counted));
    counted = counted || row.is_sale();
  }
}

sales_answers recount_replay(const order_log& log, std::size_t rows, replay_rule rule, std::int64_t opening_stock,
                             const sales_terms& terms) {
  verdicts decide{log, opening_stock};
  sales_recount recount{terms};
  for (auto rest = log.rows().first(rows); !rest.empty();) {
    const auto item = rule == replay_rule::line ? rest.first(1) : leading_order(rest);
    const bool accepted = rule == replay_rule::line ? decide.on_line(item.front()) : decide.on_order(item);
    bool first = true;
    for (const order_row& row : item) {
      if (!row.is_sale()) {
        recount.add(sale_of(row, false));
      } else if (accepted) {
        recount.add(sale_of(row, first));
        first = false;
      }
    }
    rest = rest.subspan(item.size());
  }
  return recount.answers();
}

struct replay_sales::parts {
  parts(const options& opts, const order_log& l) : log{l}, rule{opts.rule}, opening_stock{opts.opening_stock} {
    if (rule == replay_rule::line)
      return;
    for (std::size_t row = 0; row < log.rows().size(); row += leading_order(log.rows().subspan(row)).size())
      first_rows.push_back(static_cast<std::uint32_t>(row));
  }

  const order_log& log;
  const replay_rule rule;
  const std::int64_t opening_stock;
  std::vector<std::uint32_t> first_rows; ///< By order, under rule order.
  std::shared_ptr<const sales_terms> terms = replay_terms(log, rule);
  live_tables<sale, product_tables> live{1, product_tables{terms}};
  sales_ticker ticker{*terms};
  std::vector<sale> item;           ///< The one at hand.
  std::atomic<bool> waiting{false}; ///< The clerk waits for room.
};

void replay_sales::end_parts::operator()(parts* p) const { delete p; }

replay_sales::replay_sales(const options& opts, const order_log& log)
    : parts_{opts.analytics ? new parts{opts, log} : nullptr} {}

void replay_sales::start(troupe::system& system) {
  if (parts_ != nullptr)
    parts_->live.start(system, sales_plan(parts_->live, analysts_for(system.workers())));
}

void replay_sales::follow(replay_staff& staff, std::function<void()> go_on) {
  if (parts_ == nullptr)
    return;
  staff.on_settled = [this](std::uint64_t item, bool accepted) { settled(item, accepted); };
  staff.may_feed = [p = parts_.get(), go_on = std::move(go_on)] {
    auto& gauge = p->live.feed().gauge();
    if (gauge.has_room())
      return true;
    if (!p->waiting.exchange(true))
      gauge.when_room([p, go_on] {
        p->waiting = false;
        go_on();
      });
    return false;
  };
}

void replay_sales::settled(std::uint64_t item, bool accepted) {
  if (parts_ == nullptr)
    return;
  auto& p = *parts_;
  p.item.clear();
  read_item(p.log, p.rule, p.rule == replay_rule::line ? item : p.first_rows[item], accepted, p.item);
  p.live.feed().push(0, p.item);
}

void replay_sales::rebuild(const std::function<bool(std::uint64_t item)>& over) {
  if (parts_ == nullptr)
    return;
  const auto& log = parts_->log;
  verdicts decide{log, parts_->opening_stock};
  std::uint64_t item = 0;
  for (auto rest = log.rows(); !rest.empty(); ++item) {
    const bool by_line = parts_->rule == replay_rule::line;
    const auto rows = by_line ? rest.first(1) : leading_order(rest);
    const bool accepted = by_line ? decide.on_line(rows.front()) : decide.on_order(rows);
    if (over(item))
      settled(item, accepted);
    while (!parts_->live.feed().gauge().has_room())
      std::this_thread::sleep_for(1ms);
    rest = rest.subspan(rows.size());
  }
}

std::vector<std::string> replay_sales::lines(troupe::time_point now) {
  if (parts_ == nullptr)
    return {};
  parts_->live.feed().flush();
  if (parts_->ticker.wants(now))
    parts_->ticker.look(now, parts_->live.glance());
  return parts_->ticker.lines();
}

void replay_sales::finish(report& r, std::size_t rows, const replay_totals& totals) {
  if (parts_ == nullptr)
    return;
  const auto& p = *parts_;
  r.analytics = parts_->live.finish();
  r.analytics->terms = p.terms;
  const auto batch = recount_replay(p.log, rows, p.rule, p.opening_stock, *p.terms);
  const auto& sum = r.analytics->answers.total;
  r.invariants.push_back({"analytics: all months and countries add up to what the stocks have sold and taken back",
                          sum.amount == totals.accepted_amount_milli && sum.units == totals.accepted_units &&
                              sum.returned_units == totals.returned_units,
                          rows});
  append_sales_invariants(r.invariants, *r.analytics, batch);
}

} // namespace order_simulation
