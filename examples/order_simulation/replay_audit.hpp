// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "order_log.hpp"
#include "replay_staff.hpp"
#include "report.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace order_simulation {

/// What the actors of a replay have answered.
struct replay_answers {
  std::size_t rows_fed = 0; ///< The log up to here was fed; less than all of it if the run was interrupted.
  replay_totals totals;     ///< What the clerk has collected.
  std::span<const stock_figures> stocks; ///< By stock code.
};

/// Checks the answers against each other, against the log, and against the sequential oracle. `found` is the outcome that
/// was put together from the answers.
void append_replay_invariants(report& r, const order_log& log, const replay_answers& answers,
                              const replay_outcome& found);

} // namespace order_simulation
