// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>

#include "options.hpp"
#include "report.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace order_simulation {

/// How a run makes its actors fail, and how they come back: a failed actor is restarted without limit, and its message is
/// tried again until chance alone cannot have been the reason.
///
/// Also knows where they keep their events. Threads: immutable after construction.
class crash_plan {
public:
  crash_plan(const options& opts, std::shared_ptr<troupe::journal_store> journals);

  /// Options of the system: workers, seed, journals, and the injector of failures if there is a rate.
  troupe::system_options system() const;

  /// A supervisor without budgets and with the shortest back-off: the injected failures are many and mean nothing.
  troupe::supervisor_options supervisor(troupe::strategy strategy) const;

  /// An actor that never refuses one of the `waiting_max` messages that may wait for it at once. Its mailbox is twice as
  /// large, since a mailbox that begins a new batch counts the finished one once more for a moment.
  troupe::child_options child(std::size_t waiting_max) const;

  std::uint64_t injected() const { return injector_ ? injector_->injected() : 0; }

  /// The figures of a system under this plan.
  supervision_counts counts(const troupe::system& system) const;

private:
  std::shared_ptr<troupe::fault_injector> injector_; // null without a rate
  std::shared_ptr<troupe::journal_store> journals_;
  unsigned workers_;
  std::uint64_t seed_;
  unsigned retries_;
};

message_counts counts_of(const troupe::ledger& books);

/// The invariants that hold for every system after its shutdown.
void append_system_invariants(report& r, const troupe::shutdown_report& end);

} // namespace order_simulation
