// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "bench/support/row_table.hpp"

namespace bench {

/// The same events as the store writes, in the same table, by a loop over one prepared statement: what SQLite allows.
void add_journal_rows(row_table& rows);
/// The same with PostgreSQL, where a server is installed: a pipeline of prepared statements.
void add_postgres_rows(row_table& rows);
/// A shop of actors that keep their events in memory.
void add_marketplace_rows(row_table& rows);

} // namespace bench
