// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/postgres_connection.hpp>

#include <cstdint>
#include <string>

namespace troupe {

/// Makes the tables, or brings those of an earlier version up to date, in one transaction. They lie in the first schema of
/// the connection's search_path. Throws journal_error if they are of a later version.
void prepare_postgres_schema(postgres_connection& c);

/// Throws unless `c` holds journals of a version that can be read.
void check_postgres_schema(postgres_connection& c);

/// Limits that servers are configured with for others do not end this session when it is idle, or what takes long because
/// it is large. And should the machine of this process vanish, the server notices in half a minute instead of hours: until
/// then it keeps the session's lock.
void lift_postgres_limits(postgres_connection& c);

/// Throws if the server is a standby: it may lag behind, and cannot be written.
void refuse_postgres_standby(postgres_connection& c);

/// Throws if the database cannot hold every text.
void refuse_narrow_encoding(postgres_connection& c);

/// Makes this connection the only one that writes these journals, until it ends. Throws journal_error naming the one that
/// has the lock.
///
/// `lost`: a session whose place this one takes; it is ended. With the lock it is known to be over: a session gives its lock
/// back after its transaction has been committed or rolled back.
void lock_postgres_journals(postgres_connection& c, const std::string& lost = {});

/// How many transactions the store has made since it noted that it writes: each counts itself. Fewer than there were
/// acknowledged: the server has gone back, as a standby may that takes over.
std::uint64_t postgres_transactions(postgres_connection& c);

/// Once the lock is held, for the first session of a store: notes down that it is the one that writes, and has made no
/// transaction yet. Returns its mark.
std::string mark_postgres_journals(postgres_connection& c);

} // namespace troupe
