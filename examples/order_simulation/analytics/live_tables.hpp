// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/pipeline.hpp>
#include <troupe/system.hpp>

#include "event_feed.hpp"
#include "sales_report.hpp"
#include "tally_board.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace order_simulation {

/// Instances of a keyed stage for a system of so many workers: one for each four. Analytics are a small part of what a shop
/// does, and batches that are split less cost less.
constexpr unsigned analysts_for(unsigned workers) noexcept { return std::clamp(workers / 4, 1U, 16U); }

/// Adds what one table holds. Tables hold different products and sellers, but may share cells and intervals.
void add_to(sales_answers& a, const sales_table& t);
void add_to(sales_answers& a, const seller_boards& b);
void add_to(sales_glance& g, const sales_table& t);
void add_to(sales_glance& g, const seller_boards& b);

/// The analytics of a run while it goes on: a feed of events, a pipeline of supervised actors, and the tables that it fills.
///
/// A `Table` has `add(element)`, and `each(f)` that calls `f` with the sales_table in it and, if there are any, the
/// seller_boards.
/// Threads: the feed and `glance` any; the rest who made it.
template <class Event, class Table>
class live_tables {
public:
  live_tables(std::size_t shards, Table empty, typename event_feed<Event>::record keep = {})
      : feed_{shards, std::move(keep)}, board_{std::make_shared<tally_board<Table>>(std::move(empty))} {}

  event_feed<Event>& feed() noexcept { return feed_; }
  const event_feed<Event>& feed() const noexcept { return feed_; }
  const std::shared_ptr<tally_board<Table>>& board() const noexcept { return board_; }

  /// *Requires*: the events come from `feed().stream()`, and the last stage fills `board()`.
  void start(troupe::system& system, const troupe::pipeline::pipeline_plan& plan) {
    running_ = plan.start(system, "analytics");
  }

  sales_glance glance() const {
    sales_glance g;
    board_->for_each([&](const Table& t) { t.each([&](const auto& part) { add_to(g, part); }); });
    return g;
  }

  /// Ends the pipeline and says what it has found, but for the terms. Throws std::runtime_error if it did not come to its end.
  sales_report finish() {
    using namespace std::chrono_literals;
    feed_.close();
    if (const auto end = running_.wait(60s); !end)
      throw std::runtime_error{"the analytics have failed: " + end.error().what};
    sales_report r;
    r.given = feed_.gauge().given();
    r.taken = feed_.gauge().taken();
    r.lost = feed_.lost();
    for (const auto& f : running_.figures())
      r.failures += f.failures;
    board_->for_each([&](const Table& t) {
      t.each([&](const auto& part) {
        add_to(r.answers, part);
        if constexpr (requires { part.hot(); })
          r.hot.merge(part.hot());
      });
    });
    r.answers.anomalies = anomalies_of(r.answers.orders);
    r.answers.top = top_products(r.answers.products, top_products_max);
    return r;
  }

private:
  event_feed<Event> feed_;
  std::shared_ptr<tally_board<Table>> board_;
  troupe::pipeline::running running_{};
};

} // namespace order_simulation
