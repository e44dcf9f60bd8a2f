// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/testing/explore.hpp>

#include <string_view>
#include <vector>

namespace simulated {

/// A whole application with what must hold in it, and the faults that it must stand.
struct application {
  troupe::exploration_options options;
  troupe::simulated_program run;
  std::string_view made_by; ///< The function below.
};

/// The marketplace of the order simulation: shop, clients, and the audit that they end with.
application marketplace();
/// The replay of an order log, by line or by order, against the sequential oracle.
application replay_by_line();
application replay_by_order();
/// A random supervision tree whose workers fail.
application supervision_tree();
/// Journaled accounts that pay each other, with crashes of the process.
application journaled_accounts();
/// A shop of durable actors with outboxes and timers in a SQLite file on the simulated disk, which fails.
application durable_shop();
/// The same on a disk that flips bits. For the asking: it finds a limit, see docs/explanation/verification.md.
application rotting_shop();
/// A pipeline of keyed windows over two sources out of order, one branch of which asks an actor.
application windowed_pipeline();

std::vector<application> all();

} // namespace simulated
