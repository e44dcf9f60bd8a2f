// SPDX-License-Identifier: BSD-3-Clause
// Claims: a driver that repeats more transactions at each failure than it can without failing again still comes to its end,
// with a bounded number of turns for each; while its hands are full its clock does not wake it; and what has arrived is begun
// whatever fails.
// Observed: a small market on a stepped system, with failures injected at a rate.
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include "order_simulation/crash_plan.hpp"
#include "order_simulation/marketplace_audit.hpp"
#include "order_simulation/marketplace_driver.hpp"
#include "order_simulation/marketplace_shop.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <numeric>
#include <vector>

using namespace order_simulation;
using namespace std::chrono_literals;

namespace {

options market(std::uint64_t transactions, double crash_rate) {
  options o;
  o.transactions = transactions;
  o.customers = 1'000;
  o.sellers = 5;
  o.products = o.sellers * products_per_seller;
  o.crash_rate = crash_rate;
  return o;
}

/// A market with one driver, for all clients.
struct one_driver {
  options opts;
  std::shared_ptr<troupe::manual_clock> clock = std::make_shared<troupe::manual_clock>();
  crash_plan crashes{opts, nullptr};
  troupe::system sys;
  marketplace_shop shop{opts, crashes, sys, 1};
  acknowledgements told{opts};
  marketplace_plan plan{opts,
                        shop,
                        std::vector<shown_product>(opts.products),
                        {},
                        key_distribution::uniform(opts.sellers),
                        key_distribution::uniform(products_per_seller),
                        told,
                        1};
  std::shared_ptr<driver_book> book;
  troupe::ref<marketplace_driver> driver;

  /// `clients`: 0 for as many as there are by the options.
  explicit one_driver(const options& o, std::size_t clients = 0) : opts{o}, sys{stepped(crashes)} {
    for (std::uint64_t i = 0; i < opts.products; ++i)
      plan.shown[i].price = shop.prices[i].price.cents;
    plan.begin = sys.now();
    book = std::make_shared<driver_book>(plan, 0, 1);
    if (clients > 0)
      book->slots.resize(clients);
    shop.diaries[0].tell(begin_epoch{1});
    book->begin(opts);
    driver = shop.root.supervise("drivers", crashes.supervisor(troupe::one_for_one))
                 .start<marketplace_driver>("driver", crashes.child(troupe::mailbox_options::capacity_max), book,
                                            shop.diaries[0]);
  }
  ~one_driver() {
    driver.kill(); // which may not come to its end
    sys.shutdown();
  }

  troupe::system_options stepped(const crash_plan& plan_) const {
    auto o = plan_.system();
    o.through.clock = clock;
    o.stepped = 1;
    return o;
  }

  bool done() const { return book->finished; }
  std::uint64_t ended() const {
    return std::accumulate(book->sums.ended.begin(), book->sums.ended.end(), std::uint64_t{0});
  }
  /// Until it is done, or has taken so many turns that it will never be.
  void run() {
    for (auto t = 0ms; t < 1h && !done() && driver.books().accepted <= 20 * opts.transactions; t += 1ms)
      sys.advance(1ms);
  }
};

} // namespace

TEST_CASE(
    "marketplace_driver: more clients than failures let finish at a time come to their end with few repetitions") {
  auto opts = market(2'000, 0.02);
  SUBCASE("closed loop") { opts.concurrency = 800; } // 16 failures for one round of repetitions
  SUBCASE("open loop") { opts.rate = 1e6; }
  one_driver m{opts};
  m.run();
  REQUIRE(m.done());
  CHECK(m.ended() == opts.transactions);
  CHECK(m.driver.incarnation() >= 50);
  CHECK(m.driver.books().accepted <= 5 * opts.transactions);
  CHECK(m.book->window > 10); // it has not become shy
}

TEST_CASE("marketplace_driver: without failures all clients are at work") {
  auto opts = market(1'000, 0);
  opts.concurrency = 400;
  one_driver m{opts};
  m.run();
  REQUIRE(m.done());
  CHECK(m.ended() == opts.transactions);
  CHECK(m.book->window == 400);
  CHECK(m.driver.incarnation() == 0);
}

TEST_CASE("marketplace_driver: in an open loop it wakes for arrivals and not by the clock") {
  auto opts = market(100, 0);
  opts.rate = 2;
  one_driver m{opts};
  m.run();
  REQUIRE(m.done());
  CHECK(m.ended() == opts.transactions);
  CHECK(m.clock->now().time_since_epoch() > 30s);
  CHECK(m.clock->now().time_since_epoch() < 80s);
  CHECK(m.driver.books().accepted <=
        20 * opts.transactions); // a tick each 100 ms, a turn and a note for the diary each
}

TEST_CASE("marketplace_driver: what has arrived is begun after a failure, too, though nobody is at work or arrives") {
  auto opts = market(500, 0.05);
  opts.rate = 1e6;
  one_driver m{opts, 1}; // who is at rest between two transactions, as many may be by chance
  m.run();
  REQUIRE(m.done());
  CHECK(m.ended() == opts.transactions);
  CHECK(m.driver.incarnation() >= 10);
}
