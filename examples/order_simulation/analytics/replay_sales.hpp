// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>

#include "../options.hpp"
#include "../order_log.hpp"
#include "../replay_staff.hpp"
#include "../report.hpp"
#include "live_tables.hpp"
#include "sales_ticker.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace order_simulation {

/// What one instance keeps of its products.
class product_tables {
public:
  explicit product_tables(std::shared_ptr<const sales_terms> terms) : sales_{std::move(terms)} {}

  void add(const sale& s) { sales_.add(s); }

  template <class F>
  void each(F&& f) const {
    f(sales_);
  }

private:
  sales_table sales_;
};

/// The pipeline from sales to tables, by product, by so many instances.
troupe::pipeline::pipeline_plan sales_plan(const live_tables<sale, product_tables>& live, unsigned instances);

/// Revenue by month and country, orders by day, codes as products. Refers to `log`.
std::shared_ptr<const sales_terms> replay_terms(const order_log& log, replay_rule rule);

/// The sale, or the return, that an accepted row is.
sale sale_of(const order_row& row, bool counts);

/// Appends what an item of the log comes to, a row or an order from its first row on: its returns, and its sales if it was
/// accepted. Under rule line every accepted sale counts in the order rate, under rule order the first of each order.
void read_item(const order_log& log, replay_rule rule, std::size_t first_row, bool accepted, std::vector<sale>& to);

/// The sales of the first `rows` rows as one pass over the log decides them, without actors.
sales_answers recount_replay(const order_log& log, std::size_t rows, replay_rule rule, std::int64_t opening_stock,
                             const sales_terms& terms);

/// The analytics of a replay: the clerk tells them what is settled.
///
/// With `--analytics off`, does nothing. Outlives the system.
/// Threads: what the clerk is given, the clerk; the rest who made it.
class replay_sales {
public:
  replay_sales(const options& opts, const order_log& log);

  /// Starts the pipeline.
  void start(troupe::system& system);

  /// Has the clerk tell what is settled. Before the clerk starts. `go_on` lets a clerk feed more who was refused; any thread
  /// calls it.
  void follow(replay_staff& staff, std::function<void()> go_on);

  /// A line or an order that was settled, and whether it was accepted.
  void settled(std::uint64_t item, bool accepted);

  /// For a resumed run, before the clerk starts: tells the pipeline what earlier processes have settled, which is every item
  /// for which `over(item)`. Journals keep sums and not each verdict, but the log forces it: an item that is over was decided
  /// after all that its decision depends on. Whether it comes to the sums of the journals, `finish` says.
  void rebuild(const std::function<bool(std::uint64_t item)>& over);

  /// Lines for the live view.
  std::vector<std::string> lines(troupe::time_point now);

  /// Ends the pipeline, recomputes everything from the log up to `rows`, and says whether it is the same, and whether it adds
  /// up to `totals`, which the actors have. After the clerk has nothing left to do; before the shutdown.
  void finish(report& r, std::size_t rows, const replay_totals& totals);

private:
  struct parts;
  struct end_parts {
    void operator()(parts* p) const;
  };

  std::unique_ptr<parts, end_parts> parts_; // null: off
};

} // namespace order_simulation
