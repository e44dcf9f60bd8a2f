// SPDX-License-Identifier: BSD-3-Clause
#include "flash_sale.hpp"

#include "analytics/flash_sales.hpp"
#include "ask_all.hpp"
#include "crash_plan.hpp"
#include "flash_sale_arrivals.hpp"
#include "flash_sale_audit.hpp"
#include "flash_sale_shop.hpp"
#include "key_distribution.hpp"
#include "order_dice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t quantity_max = 2;

/// Few customers at a time find the shop idle; as many as may be inside use all of its capacity.
constexpr std::uint64_t unloaded_customers = 4;
constexpr auto unloaded_time = 500ms;
constexpr auto warm_up_time = 200ms;
constexpr auto capacity_time = 1000ms;
constexpr int capacity_windows = 5; ///< Of which the median counts: a moment's disturbance must not.
constexpr std::uint64_t rehearsal_orders_max = 1'000'000;

/// For requests from outside and for the end of a phase: failures on the way must not look like silence.
constexpr auto patience = 30s;

double seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

class flash_sale {
public:
  flash_sale(const options& opts, const run_journal& journal, live_view& view, const std::atomic<bool>& interrupted)
      : opts_{opts}, journal_{journal}, view_{view}, interrupted_{interrupted}, told_{opts}, plan_{opts, journal.store},
        sales_{opts}, system_{plan_.system()}, products_{opts.skew == key_skew::zipf
                                                             ? key_distribution::zipf(hot_products, opts.zipf_constant)
                                                             : key_distribution::uniform(hot_products)},
        began_{system_.now()}, shown_at_{began_} {
    sales_.start(system_);
    auto root = system_.supervise("sale", plan_.supervisor(troupe::one_for_one));
    // One order inside may have a request here, and its confirmation while the one after it has come.
    const auto stock_options = plan_.child(16 * orders_inside_max); // and repetitions after failures
    for (std::uint32_t p = 0; p < 2 * hot_products; ++p) {
      const std::int64_t opening = p < hot_products ? opening_stock_of(opts.orders) : rehearsal_stock;
      const std::string name = fmt::format("{}-{}", p < hot_products ? "product" : "rehearsal", p % hot_products + 1);
      staff_.stocks.push_back(root.start<sale_stock>(name, stock_options, &staff_, name, opening));
    }
    auto order_group = plan_.supervisor(troupe::dynamic);
    order_group.children_max = 4 * orders_inside_max; // those that have just ended may still be there
    staff_.orders = root.supervise("orders", order_group);
    staff_.crowd = root.start<sale_crowd>("crowd", plan_.child(backlog_max + 1), &staff_);
    staff_.door = root.start<sale_door>("door", plan_.child(backlog_max + orders_inside_max), &staff_);
  }

  report run() {
    if (journal_.resumed())
      finish_earlier_work();
    const auto to_come = opts_.orders - came_;
    double capacity = 0;
    if (to_come > 0) {
      rehearse_unloaded();
      capacity = opts_.rate ? 0 : rehearse_capacity();
    }
    sale_record sale{first_of_sale(), to_come};
    const sale_figures figures = to_come > 0 ? sell(sale, opts_.rate ? *opts_.rate : sale_overload * capacity)
                                             : sale_figures{.selling = 1us, .total = 1us};
    return finish(sale, figures, capacity);
  }

private:
  // Numbers of orders: those of one process, first the rehearsals' and then the sale's, after those of the one before.
  std::uint64_t first_of_life() const { return (journal_.life - 1) * (2 * rehearsal_orders_max + opts_.orders); }
  std::uint64_t first_of_sale() const { return first_of_life() + 2 * rehearsal_orders_max; }

  buy order_of(std::uint64_t order, troupe::time_point intended, bool in_sale) const {
    order_dice dice{opts_.seed, order};
    const auto product = (in_sale ? 0 : hot_products) + static_cast<std::uint32_t>(products_(dice) - 1);
    const auto quantity = 1 + static_cast<std::uint32_t>(dice() % quantity_max);
    return {order, product, quantity, intended, in_sale ? came_ + order - first_of_sale() + 1 : 0};
  }

  /// The orders that an earlier process has let in are finished. Its customers do not come again; those who have not come
  /// yet do.
  void finish_earlier_work() {
    const auto door = answer_of(staff_.door, door_query{});
    came_ = std::min(door.came, opts_.orders);
    auto left = door.inside;
    for (const auto& key : journal_.store->keys("order/"))
      left.push_back(std::stoull(key.substr(key.find('/') + 1)));
    std::ranges::sort(left);
    left.erase(std::unique(left.begin(), left.end()), left.end());
    staff_.left_over = left.size();
    const auto in_one_life = 2 * rehearsal_orders_max + opts_.orders;
    for (const auto order : left)
      staff_.door.tell(take_up_order{order_of(order, system_.now(), order % in_one_life >= 2 * rehearsal_orders_max)});
    const auto deadline = system_.now() + patience;
    while (staff_.left_over > 0 || !journal_.store->keys("order/").empty()) {
      if (system_.now() > deadline)
        throw std::runtime_error{fmt::format("flash sale: {} orders that were left are not finished within {} s",
                                             staff_.left_over.load(), seconds(patience))};
      std::this_thread::sleep_for(5ms);
      journal_.store->flush();
      check();
    }
    for (const auto& stock : staff_.stocks)
      sold_before_.push_back(answer_of(stock, inspect_shelf{}).sold);
    notes_.push_back(
        fmt::format("process {} of this run; {} orders that the one before had left were finished, {} of the "
                    "sale's customers had come",
                    journal_.life, left.size(), came_));
  }

  void begin_phase(sale_record& record, bool in_sale) {
    staff_.record = &record;
    staff_.in_closed_loop = !in_sale;
    staff_.order_of = [this, in_sale](std::uint64_t order, troupe::time_point intended) {
      return order_of(order, intended, in_sale);
    };
    last_served_ = 0;
  }

  /// Waits until everybody who was sent is answered.
  void end_phase(sale_record& record) {
    record.closing = true;
    const auto deadline = system_.now() + patience;
    // Twice the same: the crowd, which may be sending, looks at `closing` each time.
    for (std::uint64_t sent = ~std::uint64_t{0}; sent != record.sent || record.answered() < sent;) {
      sent = record.sent;
      if (system_.now() > deadline)
        throw std::runtime_error{fmt::format("flash sale: {} orders got no answer within {} s",
                                             record.sent - record.answered(), seconds(patience))};
      std::this_thread::sleep_for(1ms);
      check();
    }
  }

  void check() const {
    if (staff_.refused > 0)
      throw std::runtime_error{"flash sale: a mailbox was too small for what the door lets in"};
  }

  void wait(std::chrono::nanoseconds time, const sale_record& record, double progress) {
    const auto end = system_.now() + time;
    while (system_.now() < end && !interrupted_) {
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(10ms, end - system_.now()));
      show(record, progress);
    }
  }

  void rehearse_unloaded() {
    sale_record record{first_of_life(), rehearsal_orders_max};
    begin_phase(record, false);
    staff_.crowd.tell(open_doors{unloaded_customers});
    wait(unloaded_time, record, 0);
    end_phase(record);
    unloaded_ = figures_of("unloaded", record.accepted());
    notes_.push_back(fmt::format("unloaded     p50 {:.3f} ms, p99 {:.3f} ms; {} orders, {} at a time", unloaded_.p50,
                                 unloaded_.p99, record.accepted().count(), unloaded_customers));
  }

  /// Orders per second of a closed loop that keeps the shop full.
  double rehearse_capacity() {
    sale_record record{first_of_life() + rehearsal_orders_max, rehearsal_orders_max};
    begin_phase(record, false);
    staff_.crowd.tell(open_doors{orders_inside_max});
    wait(warm_up_time, record, 0);
    std::vector<double> per_s_of;
    for (int window = 0; window < capacity_windows && !interrupted_; ++window) {
      const auto began = system_.now();
      const std::uint64_t served_before = record.served();
      wait(capacity_time / capacity_windows, record, 0);
      per_s_of.push_back(static_cast<double>(record.served() - served_before) / seconds(system_.now() - began));
    }
    std::sort(per_s_of.begin(), per_s_of.end());
    const double per_s = per_s_of.empty() ? 0 : per_s_of[per_s_of.size() / 2];
    end_phase(record);
    notes_.push_back(fmt::format("capacity     {:.0f} orders/s, closed loop of {}", per_s, orders_inside_max));
    return std::max(per_s, 1.0);
  }

  /// Customers come as a Poisson process of `rate`, whatever the shop can do.
  sale_figures sell(sale_record& record, double rate) {
    begin_phase(record, true);
    rate_ = rate;
    sale_arrivals arrivals{opts_.seed, rate};
    const auto began = system_.now();
    sales_.open(staff_, began);
    auto intended = began + arrivals.next();
    while (record.sent < record.orders() && !interrupted_) {
      const auto now = system_.now();
      for (; intended <= now && record.sent < record.orders() && !interrupted_; intended = began + arrivals.next())
        send(record, intended);
      check();
      show(record, static_cast<double>(record.sent) / static_cast<double>(record.orders()));
      if (record.sent < record.orders())
        std::this_thread::sleep_for(std::clamp<std::chrono::nanoseconds>(intended - system_.now(), 0ms, 1ms));
    }
    sale_figures f;
    f.selling = std::max<std::chrono::nanoseconds>(system_.now() - began, 1us);
    f.offered_per_s = static_cast<double>(record.sent) / seconds(f.selling);
    f.goodput_per_s = static_cast<double>(record.served()) / seconds(f.selling);
    end_phase(record);
    sales_.close(staff_);
    f.total = system_.now() - began;
    return f;
  }

  void send(sale_record& record, troupe::time_point intended) {
    const std::uint64_t order = record.first() + record.sent;
    const bool crowded = record.sent - record.answered() >= backlog_max || !sales_.has_room();
    record.sent = record.sent + 1;
    if (crowded)
      record.note(order, sale_outcome::busy_edge, 0, system_.now() - intended);
    else
      staff_.tell(staff_.door, staff_.order_of(order, intended));
  }

  void show(const sale_record& record, double progress) {
    const auto now = system_.now();
    if (now - shown_at_ < 100ms)
      return;
    const std::uint64_t served = record.served();
    snapshot s;
    s.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    s.progress = progress;
    s.done = record.answered();
    s.in_flight = record.sent - std::min<std::uint64_t>(record.answered(), record.sent);
    s.per_s = static_cast<double>(served - last_served_) / seconds(now - shown_at_);
    if (asked_ && asked_->ready()) // asked last time: who sends the customers must not wait
      if (const auto answer = std::move(*std::exchange(asked_, std::nullopt)).try_get())
        shown_latencies_ = *answer;
    if (!asked_)
      asked_ = staff_.crowd.ask(ask_latencies{}, patience);
    s.p50_ms = shown_latencies_.p50_ms;
    s.p99_ms = shown_latencies_.p99_ms;
    s.restarts = system_.restarts();
    s.notices = sales_.lines(now);
    s.queues = {
        {"door", staff_.door.depth()}, {"crowd", staff_.crowd.depth()}, {"orders", staff_.orders.books().queued}};
    view_.show(s);
    shown_at_ = now;
    last_served_ = served;
  }

  report finish(const sale_record& sale, const sale_figures& f, double capacity) {
    report r;
    std::vector<sale_stock_figures> stocks;
    for (const auto& stock : staff_.stocks)
      stocks.push_back(answer_of(stock, inspect_shelf{}));
    sales_.finish(r, sale, rate_, [this](std::uint64_t order) { return order_of(order, {}, true); });
    const auto end = system_.shutdown();
    r.scenario = name_of(scenario_kind::flash_sale);
    r.seed = opts_.seed;
    r.journal = journal_.name;
    r.life = journal_.life;
    r.workers = system_.workers();
    r.elapsed_s = seconds(system_.now() - began_);
    const std::uint64_t sent = sale.sent;
    const std::uint64_t shed = sale.answered() - sale.served();
    r.orders = {.submitted = sent,
                .completed = sale.count(sale_outcome::sold),
                .rejected = sale.count(sale_outcome::sold_out) + shed,
                .failed = 0,
                .in_flight = sent - sale.answered()};
    r.throughput.transactions_per_s = static_cast<double>(sale.answered()) / seconds(f.total);
    r.throughput.orders_per_s = f.goodput_per_s;
    r.throughput.messages_per_s = static_cast<double>(end.books.handled) / r.elapsed_s;
    r.latency_ms = {figures_of("accepted", sale.accepted()), figures_of("shed", sale.shed())};
    r.messages = counts_of(end.books);
    r.supervision = plan_.counts(system_);
    r.notes = std::move(notes_);
    const sale_facts facts{sale, f, stocks, sold_before_, opening_stock_of(opts_.orders), unloaded_, capacity};
    append_sale_notes(r, facts);
    append_sale_invariants(r, facts);
    if (opts_.crash_rate == 0 && !interrupted_ && !journal_.resumed())
      append_speed_invariants(r, facts);
    append_system_invariants(r, end);
    return r;
  }

  const options& opts_;
  const run_journal& journal_;
  live_view& view_;
  const std::atomic<bool>& interrupted_;
  acknowledgements told_;
  const crash_plan plan_;
  flash_sales sales_;                              // before the system, whose pipeline it feeds
  sale_staff staff_{.plan = plan_, .told = told_}; // before the system, whose actors point to it
  troupe::system system_;
  const key_distribution products_;
  const troupe::time_point began_;
  std::uint64_t came_ = 0;                // customers of the sale, in earlier processes
  std::vector<std::int64_t> sold_before_; // in earlier processes, by product; empty: there was none
  double rate_ = 1;                       // of the sale
  latency_figures unloaded_{};
  std::vector<std::string> notes_;
  troupe::time_point shown_at_;
  std::uint64_t last_served_ = 0;
  std::optional<troupe::reply<sale_latencies>> asked_;
  sale_latencies shown_latencies_{};
};

} // namespace

report run_flash_sale(const options& opts, const run_journal& journal, live_view& view,
                      const std::atomic<bool>& interrupted) {
  return flash_sale{opts, journal, view, interrupted}.run();
}

} // namespace order_simulation
