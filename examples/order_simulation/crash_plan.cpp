// SPDX-License-Identifier: BSD-3-Clause
#include "crash_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;

/// Without injected failures a message that fails so often has met a bug.
constexpr unsigned retries_min = 3;

/// So many retries that a message fails them all by chance less than once in 10^18 messages.
unsigned retries_for(double crash_rate) {
  if (crash_rate <= 0)
    return retries_min;
  const double needed = std::ceil(-18.0 / std::log10(crash_rate));
  return needed < 1e6 ? std::max(retries_min, static_cast<unsigned>(needed)) : troupe::unlimited;
}

} // namespace

crash_plan::crash_plan(const options& opts, std::shared_ptr<troupe::journal_store> journals)
    : injector_{opts.crash_rate > 0 ? std::make_shared<troupe::fault_injector>(opts.crash_rate, opts.seed) : nullptr},
      journals_{std::move(journals)}, workers_{opts.workers}, seed_{opts.seed}, retries_{retries_for(opts.crash_rate)} {
}

troupe::system_options crash_plan::system() const {
  troupe::system_options result;
  result.workers = workers_;
  result.faults = injector_;
  result.journals = journals_;
  result.shutdown_timeout = 2min; // half a million actors, on a machine that may be busy
  result.through.random = troupe::seeded_random(seed_);
  return result;
}

troupe::supervisor_options crash_plan::supervisor(troupe::strategy strategy) const {
  troupe::supervisor_options result;
  result.strategy = strategy;
  result.intensity = troupe::unlimited;
  result.group_intensity = troupe::unlimited;
  result.backoff = {.min = 20us, .max = 20us, .factor = 1.0, .jitter = 0.0, .reset_after = 20us};
  return result;
}

troupe::child_options crash_plan::child(std::size_t waiting_max) const {
  troupe::child_options result;
  result.retries = retries_;
  result.mailbox.capacity = std::clamp<std::size_t>(2 * waiting_max, 1, troupe::mailbox_options::capacity_max);
  return result;
}

supervision_counts crash_plan::counts(const troupe::system& system) const {
  return {.crashes_injected = injected(), .restarts = system.restarts(), .escalations = system.escalations()};
}

message_counts counts_of(const troupe::ledger& books) {
  return {.accepted = books.accepted,
          .handled = books.handled,
          .expired = books.expired,
          .dropped = books.dropped,
          .quarantined = books.quarantined,
          .queued = books.queued};
}

void append_system_invariants(report& r, const troupe::shutdown_report& end) {
  r.invariants.push_back({.name = "accounting law: accepted = handled + expired + dropped + quarantined + queued",
                          .holds = end.books.balanced() && end.unaccounted == 0,
                          .checked = end.books.accepted});
  r.invariants.push_back({.name = "every failure was repaired: none escalated, no message quarantined",
                          .holds = r.supervision.escalations == 0 && end.books.quarantined == 0 && !end.gave_up,
                          .checked = r.supervision.restarts});
  r.invariants.push_back({.name = "the shutdown was complete and left nothing queued",
                          .holds = end.complete && end.drained && end.books.queued == 0,
                          .checked = 1});
}

} // namespace order_simulation
