// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/latency_histogram.hpp>

#include "analytics/sales_report.hpp"
#include "replay_oracle.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace order_simulation {

/// Orders by what has become of them; `submitted` is the sum of the others.
struct order_counts {
  std::uint64_t submitted = 0;
  std::uint64_t completed = 0;
  std::uint64_t rejected = 0; ///< Answered with a business "no".
  std::uint64_t failed = 0;   ///< Answered with an error.
  std::uint64_t in_flight = 0;
};

struct throughput_figures {
  double transactions_per_s = 0;
  double orders_per_s = 0;
  double messages_per_s = 0;
};

/// Latencies of one kind of transaction, in milliseconds; in an open loop from the intended start.
struct latency_figures {
  std::string transaction;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
};

latency_figures figures_of(std::string transaction, const troupe::analytics::latency_histogram& latencies);

/// Messages of all mailboxes by outcome: `accepted` is the sum of the others.
struct message_counts {
  std::uint64_t accepted = 0;
  std::uint64_t handled = 0;
  std::uint64_t expired = 0;
  std::uint64_t dropped = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t queued = 0;
};

struct supervision_counts {
  std::uint64_t crashes_injected = 0;
  std::uint64_t restarts = 0;
  std::uint64_t escalations = 0;
};

/// A statement about the final state that was checked on `checked` things.
struct invariant {
  std::string name;
  bool holds = false;
  std::uint64_t checked = 0;
};

/// Everything that a run tells at its end.
struct report {
  std::string scenario;
  std::uint64_t seed = 0;
  std::string journal = "memory"; ///< As for `--journal`.
  std::uint64_t life = 1;         ///< Of the run: above 1 it was resumed.
  std::uint32_t workers = 0;
  double elapsed_s = 0;
  order_counts orders;
  throughput_figures throughput;
  std::vector<latency_figures> latency_ms;
  message_counts messages;
  supervision_counts supervision;
  std::vector<invariant> invariants;
  std::optional<replay_outcome> replay;  ///< Scenario replay only.
  std::optional<sales_report> analytics; ///< Unless they are off.
  std::vector<std::string> notes;        ///< What else there is to say about the run; shown to a person only.
  std::uint64_t skipped_rows = 0;        ///< Malformed rows left out; shown to a person only.
  std::string first_skipped;             ///< The message of the first one.

  /// Whether every invariant holds.
  bool holds() const;
};

/// The report as JSON, LF-terminated. The keys are part of the interface of the example and always the same, in this
/// order: scenario, seed, workers, journal, elapsed_s, orders, throughput, latency_ms (by transaction), messages,
/// supervision, invariants, for the scenario replay: replay, and unless they are off: analytics. A figure that is no finite
/// number becomes 0.
std::string to_json(const report& r);

/// The report for a person, LF-terminated; with terminal colours if `colored`.
std::string to_text(const report& r, bool colored);

} // namespace order_simulation
