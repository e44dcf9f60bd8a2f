// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>

#include "bench/support/measurement.hpp"
#include "bench/support/row_table.hpp"

/// Our rows. Everything runs as users get it: supervised, with bounded mailboxes and with the books kept.
namespace bench {

void add_messaging_rows(row_table& rows);
void add_flood_rows(row_table& rows);
void add_birth_rows(row_table& rows);
void add_savina_rows(row_table& rows);
void add_exchange_rows(row_table& rows);
void add_latency_rows(row_table& rows);
void add_footprint_rows(row_table& rows);
void add_journal_rows(row_table& rows);
void add_marketplace_rows(row_table& rows);

inline troupe::system_options options_for(const run_size& size) { return {.workers = size.workers}; }

/// The actors are there before the clock starts; this lets the workers come to rest.
inline void settle_down() { sleep_ns(20'000'000); }

} // namespace bench
