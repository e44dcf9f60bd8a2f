// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/postgres_connection.hpp>
#include <troupe/journal/postgres_new_events.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace troupe {

/// The session that writes journals on a PostgreSQL server: it holds their lock, and its server knows all statements.
///
/// Threads: one at a time.
class postgres_session {
public:
  /// What a store remembers of its sessions.
  struct past {
    std::string id;                 ///< Of the last one; empty: unknown.
    std::string mark;               ///< That of the store; empty: this is its first session.
    std::uint64_t transactions = 0; ///< Of the store, that the server is known to have, see postgres_transactions.
  };

  /// Returns when the session before has ended its transaction: what reads see from then on is decided. `silence`: see
  /// postgres_connection. Errors: journal_error: the server cannot be reached or does not answer in time, or is a standby, the
  /// lock is held, somebody else has written since the last session, or a transaction is missing that was acknowledged.
  postgres_session(const std::string& url, std::chrono::milliseconds silence, const past& before);

  postgres_connection& connection() noexcept { return connection_; }
  postgres_new_events& new_events() noexcept { return new_events_; }
  /// What the next session has to be told.
  const past& self() const noexcept { return self_; }

private:
  static postgres_connection& made_ready(postgres_connection& c, const past& before, past& self);

  past self_;
  postgres_connection connection_;
  postgres_new_events new_events_;
};

} // namespace troupe
