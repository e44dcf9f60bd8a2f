// SPDX-License-Identifier: BSD-3-Clause
#include "order_simulation/crash_plan.hpp"
#include "order_simulation/marketplace_audit.hpp"
#include "order_simulation/marketplace_driver.hpp"
#include "order_simulation/marketplace_shop.hpp"
#include "order_simulation/marketplace_traffic.hpp"
#include "programs.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace simulated {

using namespace order_simulation;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t driver_count = 2;

options small_market(std::uint64_t seed) {
  options o;
  o.transactions = 40;
  o.concurrency = 6;
  o.customers = 8;
  o.sellers = 3;
  o.products = o.sellers * products_per_seller;
  o.seed = seed;
  o.crash_rate = 0.2; // for the retries that the plan then allows; the simulation makes the crashes
  return o;
}

/// Runs the market until its drivers are done, at most for an hour.
bool done(troupe::system& sys, const std::vector<std::shared_ptr<driver_book>>& books) {
  const auto over = [&] { return std::ranges::all_of(books, [](const auto& b) { return b->finished.load(); }); };
  for (int i = 0; i < 3'600 && !over(); ++i)
    sys.advance(1s);
  return over();
}

void run_market(troupe::simulation& sim) {
  const auto opts = small_market(sim.options().replay ? sim.options().replay->seed : sim.options().seed);
  const crash_plan crashes{opts, nullptr}; // the simulation has its own journals
  acknowledgements told{opts};
  std::unique_ptr<marketplace_shop> shop;
  std::unique_ptr<marketplace_plan> plan;
  std::vector<std::shared_ptr<driver_book>> books;
  sim.run([&](troupe::system& sys) {
    shop = std::make_unique<marketplace_shop>(opts, crashes, sys, driver_count);
    plan.reset(new marketplace_plan{opts,
                                    *shop,
                                    std::vector<shown_product>(opts.products),
                                    {},
                                    key_distribution::uniform(opts.sellers),
                                    key_distribution::uniform(products_per_seller),
                                    told,
                                    1});
    for (std::uint64_t i = 0; i < opts.products; ++i)
      plan->shown[i].price = shop->prices[i].price.cents;
    plan->begin = sys.now();
    const auto drivers = shop->root.supervise("drivers", crashes.supervisor(troupe::one_for_one));
    for (std::uint32_t i = 0; i < driver_count; ++i) {
      books.push_back(std::make_shared<driver_book>(*plan, i, driver_count));
      shop->diaries[i].tell(begin_epoch{plan->epoch});
      books.back()->begin(opts);
      drivers.start<marketplace_driver>("driver-" + std::to_string(i),
                                        crashes.child(troupe::mailbox_options::capacity_max), books.back(),
                                        shop->diaries[i]);
    }
    if (!done(sys, books))
      throw troupe::violation{"the marketplace comes to its end", "not within an hour"};
    sys.run_until_idle();
    const auto probes = repeat_old_requests(*shop);
    market_findings found;
    for (int i = 0; i < 60; ++i) {
      sys.advance(200ms);
      found = look_into(*shop);
      found.probes = probes;
      if (found.unfinished == 0)
        break;
    }
    report r;
    append_market_invariants(r, found, books, *plan);
    for (const auto& i : r.invariants)
      if (!i.holds)
        throw troupe::violation{i.name, "at the audit"};
  });
}

} // namespace

application marketplace() {
  // What follows kept events is sent at most once: a handler that fails among these sends is beyond the promise.
  return {{.name = "marketplace",
           .faults = {.crash = 0.02, .crash_at_sends = false, .preempt = 0.2, .slow = 0.02, .slow_by = 50ms},
           .run_for = 3h,
           .turns_max = 3'000'000},
          run_market,
          "marketplace"};
}

} // namespace simulated
