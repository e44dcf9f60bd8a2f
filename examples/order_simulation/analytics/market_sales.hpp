// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>

#include "../marketplace_shop.hpp"
#include "../options.hpp"
#include "../report.hpp"
#include "live_tables.hpp"
#include "observed_store.hpp"
#include "order_steps.hpp"
#include "sales_ledger.hpp"
#include "sales_ticker.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace order_simulation {

/// What one instance keeps of its sellers: their dashboards and the sales of their products.
class market_table {
public:
  explicit market_table(std::shared_ptr<const sales_terms> terms) : sales_{std::move(terms)} {}

  void add(const line_step& s);

  template <class F>
  void each(F&& f) const {
    f(sales_);
    f(boards_);
  }

private:
  sales_table sales_;
  seller_boards boards_;
};

/// The sale that a line's payment is.
sale sale_of(const line_step& s);

/// Where a customer lives: by his number, so that it is the same in each process of a run.
std::uint16_t country_of(troupe::commerce::customer_id who);

/// The pipeline from what the shop's actors have kept to the tables: orders by customer and number, then lines by seller, by so many
/// instances each.
troupe::pipeline::pipeline_plan market_plan(const live_tables<shop_event, market_table>& live, unsigned instances);

std::shared_ptr<const sales_terms> market_terms();

/// The analytics of a marketplace. They learn of an order when its actor's journal has it: nothing else in the shop knows of
/// them.
///
///     order and customer journals -> feed -> lines of orders (by order) -> sellers (by seller) -> tables
///
/// With `--analytics off`, does nothing. Outlives the system that it observes.
/// Threads: the journals' any; the rest who made it.
class market_sales final : private journal_watcher {
public:
  explicit market_sales(const options& opts);
  ~market_sales() override;

  /// The options of a system whose journals are observed.
  troupe::system_options observed(troupe::system_options o);
  /// Starts the pipeline, and follows the journals from here on. Before the first order; in a resumed run, while nothing is
  /// appended, until `rebuild` has returned.
  void start(troupe::system& system);

  /// For a resumed run, when what earlier processes left is done and before its first new order: tells the pipeline what
  /// the journals still know. That is every open order with all its steps, so that dashboards are complete and what
  /// follows is understood. What was paid until then counts in no answer of this process.
  void rebuild(const marketplace_shop& shop);

  /// Lines for the live view.
  std::vector<std::string> lines(troupe::time_point now);

  /// Ends the pipeline, recomputes everything from the record and from the actors, and says whether it is the same.
  /// Requires a shop at rest.
  void finish(report& r, const marketplace_shop& shop);

private:
  struct parts;

  std::optional<std::uint64_t> watches(std::string_view key) override;
  void kept(std::uint64_t customer, std::span<const troupe::journal_record> events) override;
  digest begun(std::uint64_t customer, std::span<const troupe::journal_record> events) override;
  bool has_room() const override;
  void when_room(std::function<void()> go_on) override;

  void publish(std::uint64_t customer, std::span<shop_event> events);
  sales_answers recompute();

  std::unique_ptr<parts> parts_; // null: off
};

} // namespace order_simulation
