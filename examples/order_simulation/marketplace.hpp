// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "live_view.hpp"
#include "options.hpp"
#include "report.hpp"
#include "run_journal.hpp"

#include <atomic>

namespace order_simulation {

/// Runs the Online Marketplace workload (Laigner et al., SIGMOD 2025) on the actors of troupe/commerce: checkouts,
/// price updates, product replacements, dashboards and deliveries, with the benchmark's own checks.
///
/// Without `opts.rate` each of `opts.concurrency` clients begins its next transaction when the last one has ended; with
/// it, transactions arrive by themselves and latencies count from the arrival. Once `interrupted` is true no more
/// begin, what is under way ends, and the report is about that. Errors: std::runtime_error if the run itself fails.
report run_marketplace(const options& opts, const run_journal& journal, live_view& view,
                       const std::atomic<bool>& interrupted);

} // namespace order_simulation
