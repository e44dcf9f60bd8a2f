// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "bench/support/measurement.hpp"
#include "bench/support/row_table.hpp"

#include <caf/all.hpp>

#include <cstddef>
#include <string>

/// The same work on plain CAF 0.17.6: class-based actors, the default work-stealing scheduler.
namespace bench {

void add_messaging_rows(row_table& rows);
void add_flood_rows(row_table& rows);
void add_birth_rows(row_table& rows);
void add_savina_rows(row_table& rows);
void add_exchange_rows(row_table& rows);
void add_latency_rows(row_table& rows);
void add_footprint_rows(row_table& rows);

struct caf_options : caf::actor_system_config {
  explicit caf_options(const run_size& size, const char* policy = "stealing") {
    set("scheduler.max-threads", std::size_t{size.workers});
    set("scheduler.policy", caf::atom_from_string(std::string{policy}));
  }
};

inline void settle_down() { sleep_ns(20'000'000); }

} // namespace bench
