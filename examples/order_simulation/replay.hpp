// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "live_view.hpp"
#include "options.hpp"
#include "report.hpp"
#include "run_journal.hpp"

#include <atomic>

namespace order_simulation {

/// Replays an order log by `opts.rule` with one actor per stock code, and under rule order one per order. The answers are
/// those of the actors; the sequential oracle is asked afterwards, as an invariant.
///
/// Writes `opts.final_stock` if it is named. Once `interrupted` is true, nothing more of the log is fed, and the report is
/// about what was. Errors: order_log_error, text::output_error; std::runtime_error if the run itself fails.
report run_replay(const options& opts, const run_journal& journal, live_view& view,
                  const std::atomic<bool>& interrupted);

} // namespace order_simulation
