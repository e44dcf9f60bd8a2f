// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "live_view.hpp"
#include "options.hpp"
#include "report.hpp"
#include "run_journal.hpp"

#include <atomic>

namespace order_simulation {

/// Sells few hot products with little stock to as many customers as there are orders, who come at a given rate whatever
/// the shop can do: without `opts.rate`, at twice the capacity, which is measured first.
///
/// Once `interrupted` is true, no more customers come, and the report is about those who did. Errors: std::runtime_error
/// if the run itself fails.
report run_flash_sale(const options& opts, const run_journal& journal, live_view& view,
                      const std::atomic<bool>& interrupted);

} // namespace order_simulation
