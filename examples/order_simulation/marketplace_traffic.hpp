// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/latency_histogram.hpp>
#include <troupe/analytics/log_linear_scale.hpp>
#include <troupe/commerce/anomalies.hpp>

#include "acknowledgements.hpp"
#include "key_distribution.hpp"
#include "marketplace_diary.hpp"
#include "marketplace_shop.hpp"
#include "options.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace order_simulation {

enum class transaction_kind : std::uint8_t { checkout, dashboard, price_update, product_update, delivery };

inline constexpr std::array<const char*, transaction_kinds> transaction_names{
    "CUSTOMER_SESSION", "QUERY_DASHBOARD", "PRICE_UPDATE", "UPDATE_PRODUCT", "UPDATE_DELIVERY"};

/// The mix, as cumulative bounds in per cent.
inline constexpr std::array<std::uint64_t, transaction_kinds> transaction_mix{30, 35, 38, 40, 100};

/// What the clients know of one product: as a web page shows it, a moment old.
struct shown_product {
  std::atomic<std::int64_t> price{0};
  std::atomic<std::uint64_t> version{0};
  std::atomic<bool> updating{false}; ///< One update per product at a time.
};

/// An update of a product, with its place among all updates of its seller.
struct made_update {
  std::uint32_t seller = 0;
  std::uint32_t number = 0;
  std::uint64_t sequence = 0;
  std::uint64_t version = 0;
  troupe::commerce::money price{};
};

/// The items of one seller in one cart as it was checked out, if there are several.
struct bought_together {
  std::uint32_t seller = 0;
  std::vector<troupe::commerce::order_line> lines;
};

/// What all drivers share. Threads: any.
struct marketplace_plan {
  const options& opts;
  const marketplace_shop& shop;
  std::vector<shown_product> shown;
  /// The sellers' lists as this process has found them, what was listed last first. Not what the products say: one that
  /// was cut off in an update says more than carts are shown.
  std::vector<std::vector<troupe::commerce::priced_item>> found;
  const key_distribution sellers;
  const key_distribution products; ///< Of one seller.
  acknowledgements& told;
  std::uint64_t epoch;              ///< Of new transactions' ids.
  std::atomic<bool> no_more{false}; ///< Begin nothing new.
  troupe::time_point begin{};

  /// What a seller's products cost before any update that this process knows of, newest first.
  std::vector<troupe::commerce::priced_item> first_shown(std::uint32_t seller) const;
};

/// One client: at most one transaction at a time.
struct client_slot {
  bool active = false;
  transaction_kind kind{};
  troupe::commerce::transaction_id tid = 0;
  troupe::time_point intended{};
  std::uint64_t customer = 0; ///< Index.
  std::uint64_t product = 0;  ///< Index; for a dashboard, of the seller.
  troupe::commerce::money price{};
  std::vector<troupe::commerce::order_line> lines;
  /// A checkout whose prices were fixed in an earlier process, of whose updates this one knows the last ones only.
  bool priced_before = false;
  market_sums sums{}; ///< What has become of it.
};

/// A histogram for the live view: one writer, any reader; four buckets for each power of two of microseconds.
class recent_latencies {
public:
  using scale = troupe::analytics::log_linear_scale<2>;
  static constexpr std::size_t buckets = scale::buckets(std::uint64_t{1} << 40);
  void record(std::chrono::nanoseconds latency);
  static double upper_end_ms(std::size_t bucket);
  std::array<std::atomic<std::uint64_t>, buckets> counts{};
};

/// What a driver has to do and has done. It is the world outside: it stays when the driver fails and is restarted.
///
/// Threads: the driver's turn; atomics any.
struct driver_book {
  driver_book(marketplace_plan& plan, std::uint32_t number, std::uint32_t drivers);

  marketplace_plan& plan;
  const std::uint32_t number;
  std::mt19937_64 random;
  std::vector<client_slot> slots;
  std::uint32_t first_to_wake = 0;          ///< Of the slots, when the driver is restarted.
  std::uint32_t window = 0;                 ///< Slots that may be at work at a time.
  std::vector<std::uint32_t> free_slots;    ///< Open loop.
  std::deque<std::uint32_t> idle_customers; ///< Indices; each customer belongs to one driver.
  std::deque<client_slot> recovered{};      ///< Of earlier processes: what is not known to have ended.
  std::uint64_t share = 0;                  ///< Of all transactions of the run.
  std::uint64_t quota = 0;                  ///< Transactions still to begin.
  std::uint64_t last_tid = 0;
  // Open loop.
  double open_loop_gap_ns = 0;
  double mean_gap_ns = 0; ///< 0: closed loop, or what earlier processes have left.
  troupe::time_point next_arrival{};
  std::deque<troupe::time_point> backlog; ///< Arrived, and no slot is free.
  bool arrivals_over = false;

  std::array<troupe::analytics::latency_histogram, transaction_kinds> latencies;
  market_sums sums;                   ///< Of all processes of the run.
  std::uint64_t ended = 0;            ///< In this process.
  std::uint64_t completed_before = 0; ///< Orders, in earlier processes.

  /// An end that the diary does not know of. The customer or product is not used before it does.
  struct unwritten_end {
    transaction_end end;
    transaction_kind kind{};
    std::uint64_t customer = 0;
    std::uint64_t product = 0;
  };
  std::deque<unwritten_end> unwritten;
  std::uint64_t renewals = 0; ///< Sellers and customers that were ended and begun anew.
  std::vector<made_update> updates;
  std::vector<bought_together> baskets;

  recent_latencies recent;
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> begun{0};
  std::atomic<bool> finished{false};

  troupe::commerce::transaction_id next_tid() { return ended_transactions::id(number, plan.epoch, ++last_tid); }
  /// Draws a transaction and all that it needs; marks the slot active.
  void draw(client_slot& s, troupe::time_point intended);
  /// Notes the end of the slot's transaction.
  void end(client_slot& s, troupe::time_point at, bool failed_one);
  /// From now on there are new transactions: as many as are still to be done.
  void begin(const options& opts);
  /// Gives the client something of an earlier process.
  void take_up(client_slot& s, troupe::time_point at);
  /// The diary knows of the first `n` unwritten ends.
  void written(std::size_t n);
  /// Nothing is left to do or to write down.
  bool at_rest() const { return in_flight.load(std::memory_order_relaxed) == 0 && unwritten.empty(); }

private:
  bool draw_session(client_slot& s);
  bool draw_update(client_slot& s);
  std::uint64_t draw_product();
};

} // namespace order_simulation
