// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/postgres_connection.hpp>

namespace troupe {

/// Makes the tables, or brings those of an earlier version up to date, in one transaction. They lie in the first schema of
/// the connection's search_path. Throws journal_error if they are of a later version.
void prepare_postgres_schema(postgres_connection& c);

/// Throws unless `c` holds journals of a version that can be read.
void check_postgres_schema(postgres_connection& c);

/// Makes this connection the only one that writes these journals, until it ends. Throws journal_error naming the one that
/// has the lock.
void lock_postgres_journals(postgres_connection& c);

} // namespace troupe
