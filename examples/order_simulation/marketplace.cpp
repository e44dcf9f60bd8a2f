// SPDX-License-Identifier: BSD-3-Clause
#include "marketplace.hpp"

#include "analytics/market_sales.hpp"
#include "ask_all.hpp"
#include "crash_plan.hpp"
#include "marketplace_audit.hpp"
#include "marketplace_driver.hpp"
#include "marketplace_recovery.hpp"
#include "marketplace_shop.hpp"
#include "marketplace_traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t drivers_max = 48;
constexpr unsigned audits_max = 60;

class marketplace_run {
public:
  marketplace_run(const options& opts, const run_journal& journal, live_view& view,
                  const std::atomic<bool>& interrupted)
      : opts_{opts}, journal_{journal}, view_{view}, interrupted_{interrupted}, told_{opts}, crashes_{opts,
                                                                                                      journal.store},
        sales_{opts}, system_{sales_.observed(crashes_.system())}, driver_count_{drivers_for(opts)},
        shop_{opts, crashes_, system_, driver_count_, opening_view()}, plan_{opts,
                                                                             shop_,
                                                                             std::vector<shown_product>(opts.products),
                                                                             {},
                                                                             keys(opts, opts.sellers),
                                                                             keys(opts, products_per_seller),
                                                                             told_,
                                                                             journal.life} {
    for (std::uint64_t i = 0; i < opts.products; ++i)
      plan_.shown[i].price = shop_.prices[i].price.cents;
    for (std::uint32_t i = 0; i < driver_count_; ++i)
      books_.push_back(std::make_shared<driver_book>(plan_, i, driver_count_));
  }

  report run() {
    const auto before = system_.books().handled;
    plan_.begin = system_.now();
    if (journal_.resumed()) {
      finish_earlier_work();
      audit(); // the journals stand still from here on
    }
    sales_.start(system_);
    if (journal_.resumed())
      sales_.rebuild(shop_);
    for (const auto& d : shop_.diaries)
      answer_of(d, begin_epoch{journal_.life});
    for (const auto& b : books_)
      b->begin(opts_);
    drive("drivers");
    const auto end = system_.now();
    const auto handled = system_.books().handled - before;
    auto findings = audit();
    return make_report(end - plan_.begin, handled, findings);
  }

private:
  marketplace_shop::opening_view opening_view() {
    return [this, begin = system_.now(), shown_at = troupe::time_point{}](std::uint64_t opened,
                                                                          std::uint64_t all) mutable {
      const auto now = system_.now();
      if (now - shown_at < 100ms && opened < all)
        return;
      shown_at = now;
      view_.show_opening(std::chrono::duration_cast<std::chrono::milliseconds>(now - begin), opened, all);
    };
  }

  static std::uint32_t drivers_for(const options& opts) {
    const std::uint64_t clients = opts.rate ? drivers_max : opts.concurrency;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(std::min(clients, opts.customers), 1, drivers_max));
  }

  static key_distribution keys(const options& opts, std::uint64_t n) {
    return opts.skew == key_skew::zipf ? key_distribution::zipf(n, opts.zipf_constant) : key_distribution::uniform(n);
  }

  /// Runs the drivers until they have nothing left to do.
  void drive(const std::string& name) {
    const auto group = shop_.root.supervise(name, crashes_.supervisor(troupe::one_for_one));
    const auto child = crashes_.child(troupe::mailbox_options::capacity_max);
    drivers_.clear();
    for (std::uint32_t i = 0; i < driver_count_; ++i) {
      books_[i]->finished = false;
      drivers_.push_back(
          group.start<marketplace_driver>("driver-" + std::to_string(i), child, books_[i], shop_.diaries[i]));
    }
    watch_until_done();
  }

  /// Every transaction that an earlier process has left unanswered is submitted again, before there are new ones.
  void finish_earlier_work() {
    recover(plan_, books_);
    const auto left = sum([](const driver_book& b) { return b.recovered.size(); });
    drive("recovery");
    notes_.push_back(fmt::format("process {} of this run; {} transactions that the one before had left unanswered were "
                                 "submitted again",
                                 journal_.life, left));
  }

  template <class Figure>
  std::uint64_t sum(Figure figure) const {
    std::uint64_t all = 0;
    for (const auto& b : books_)
      all += figure(*b);
    return all;
  }

  void watch_until_done() {
    auto shown_at = plan_.begin;
    for (;;) {
      std::this_thread::sleep_for(5ms);
      const auto now = system_.now();
      if (interrupted_ || (opts_.duration && now - plan_.begin >= *opts_.duration))
        plan_.no_more = true;
      const bool done = std::ranges::all_of(books_, [](const auto& b) { return b->finished.load(); });
      if (now - shown_at >= 100ms || done) {
        show(now, now - shown_at);
        shown_at = now;
      }
      if (done)
        return;
    }
  }

  void show(troupe::time_point now, std::chrono::nanoseconds since) {
    snapshot s;
    s.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - plan_.begin);
    s.done = sum([](const driver_book& b) { return b.done.load(); });
    s.in_flight = sum([](const driver_book& b) { return b.in_flight.load(); });
    const auto ratio = [](auto part, auto whole) { return static_cast<double>(part) / static_cast<double>(whole); };
    s.progress = opts_.duration ? ratio(s.elapsed.count(), opts_.duration->count())
                                : ratio(s.done, std::max<std::uint64_t>(opts_.transactions, 1));
    s.per_s = static_cast<double>(s.done - done_shown_) / std::chrono::duration<double>(since).count();
    done_shown_ = s.done;
    std::vector<std::uint64_t> counts(recent_latencies::buckets);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto all = sum([i](const driver_book& b) { return b.recent.counts[i].load(std::memory_order_relaxed); });
      total += counts[i] = all - latencies_shown_[i];
      latencies_shown_[i] = all;
    }
    s.p50_ms = quantile(counts, total, 0.5);
    s.p99_ms = quantile(counts, total, 0.99);
    s.restarts = system_.restarts();
    s.notices = sales_.lines(now);
    for (const auto& d : drivers_)
      s.queues.push_back({d.name(), d.depth()});
    for (const auto& p : shop_.partitions)
      s.queues.push_back({p.name(), p.depth()});
    for (const auto& p : shop_.providers)
      s.queues.push_back({p.name(), p.depth()});
    view_.show(s);
  }

  static double quantile(const std::vector<std::uint64_t>& counts, std::uint64_t total, double q) {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts.size(); ++i)
      if ((seen += counts[i]) > 0 && static_cast<double>(seen) >= q * static_cast<double>(total))
        return recent_latencies::upper_end_ms(i);
    return 0;
  }

  /// Nothing waits in any mailbox or is being written, and nothing came in between several looks.
  void come_to_rest() {
    constexpr unsigned looks = 3;
    unsigned still = 0;
    for (unsigned i = 0; i < 4'000 && still < looks; ++i) {
      journal_.store->flush();
      const auto first = system_.books();
      journal_.store->flush();
      const auto second = system_.books();
      still = first.queued == 0 && second.queued == 0 && first.accepted == second.accepted ? still + 1 : 0;
      if (still < looks)
        std::this_thread::sleep_for(5ms);
    }
    if (still < looks)
      throw std::runtime_error{"marketplace: the actors do not come to rest"};
  }

  /// What an injected failure has interrupted goes on by itself a moment later: the audit waits for that.
  market_findings audit() {
    come_to_rest();
    const auto probes = repeat_old_requests(shop_);
    for (unsigned i = 0;; ++i) {
      come_to_rest();
      auto found = look_into(shop_);
      found.probes = probes;
      if (found.unfinished == 0 || i == audits_max) {
        read_journals(shop_, *journal_.store, found);
        return found;
      }
      std::this_thread::sleep_for(200ms);
    }
  }

  report make_report(std::chrono::nanoseconds elapsed, std::uint64_t handled, const market_findings& findings) {
    report r;
    r.scenario = name_of(scenario_kind::marketplace);
    r.seed = opts_.seed;
    r.journal = journal_.name;
    r.life = journal_.life;
    r.notes = notes_;
    r.workers = system_.workers();
    r.elapsed_s = std::chrono::duration<double>(elapsed).count();
    std::uint64_t completed_before = 0;
    for (const auto& b : books_) {
      r.orders.completed += b->sums.orders_completed;
      r.orders.rejected += b->sums.orders_rejected;
      r.orders.failed += b->sums.orders_failed;
      completed_before += b->completed_before;
    }
    r.orders.submitted = r.orders.completed + r.orders.rejected + r.orders.failed;
    const auto ended = sum([](const driver_book& b) { return b.ended; });
    r.throughput.transactions_per_s = static_cast<double>(ended) / r.elapsed_s;
    r.throughput.orders_per_s = static_cast<double>(r.orders.completed - completed_before) / r.elapsed_s;
    r.throughput.messages_per_s = static_cast<double>(handled) / r.elapsed_s;
    for (std::size_t k = 0; k < transaction_kinds; ++k) {
      troupe::analytics::latency_histogram all;
      for (const auto& b : books_)
        all.merge(b->latencies[k]);
      r.latency_ms.push_back(figures_of(transaction_names[k], all));
    }
    sales_.finish(r, shop_);
    append_market_invariants(r, findings, books_, plan_);
    const auto end = system_.shutdown();
    r.messages = counts_of(end.books);
    r.supervision = crashes_.counts(system_);
    append_system_invariants(r, end);
    return r;
  }

  const options& opts_;
  const run_journal& journal_;
  live_view& view_;
  const std::atomic<bool>& interrupted_;
  acknowledgements told_;
  const crash_plan crashes_;
  market_sales sales_; // before the system, whose journals it observes
  troupe::system system_;
  const std::uint32_t driver_count_;
  marketplace_shop shop_;
  marketplace_plan plan_;
  std::vector<std::shared_ptr<driver_book>> books_;
  std::vector<troupe::ref<marketplace_driver>> drivers_;
  std::vector<std::string> notes_;
  std::uint64_t done_shown_ = 0;
  std::vector<std::uint64_t> latencies_shown_ = std::vector<std::uint64_t>(recent_latencies::buckets);
};

} // namespace

report run_marketplace(const options& opts, const run_journal& journal, live_view& view,
                       const std::atomic<bool>& interrupted) {
  return marketplace_run{opts, journal, view, interrupted}.run();
}

} // namespace order_simulation
