// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/sqlite_connection.hpp>

namespace troupe {

/// Makes the tables in an empty database, or brings those of an earlier version up to date, in one transaction. Throws
/// journal_error if the file is another application's or of a later version.
void prepare_sqlite_schema(sqlite_connection& c);

/// Throws unless `c` holds journals of a version that can be read.
void check_sqlite_schema(sqlite_connection& c);

} // namespace troupe
