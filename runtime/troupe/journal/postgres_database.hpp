// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/journal/postgres_connection.hpp>
#include <troupe/journal/postgres_new_events.hpp>
#include <troupe/journal/postgres_reader.hpp>
#include <troupe/seams.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// Journals on a PostgreSQL server. The session that writes holds an advisory lock, so whoever can write is the only one;
/// with the session the lock goes, and with it the right to write.
///
/// A server that is lost while a transaction is on its way leaves that one's outcome unknown: it fails. Later ones wait for
/// a new session, up to `patience` from the loss on; after that each tries once and fails until the server is back.
class postgres_database final : public journal_database {
public:
  struct options {
    std::chrono::milliseconds patience{30'000};
    std::shared_ptr<troupe::clock> clock = production_clock();
  };
  /// Errors: journal_error, also if another session writes these journals.
  postgres_database(const std::string& url, options o);

  const std::string& name() const noexcept override { return name_; }
  void write(batch b) override;
  void reclaim() override;
  std::shared_ptr<journal_reader> read() override;

private:
  /// Whoever holds it may write.
  struct session {
    explicit session(const std::string& url);

    postgres_connection connection;
    postgres_new_events new_events;
  };

  void reconnect();
  void lose_session() noexcept;
  void send(const journal_change& w);

  // -- immutable --
  const std::string url_;
  const std::string name_;
  const options options_;

  // -- the writer --
  std::optional<session> session_;
  time_point lost_{}; ///< When the last session ended.

  // -- guarded by mutex_ --
  std::mutex mutex_;                                   // leaf lock
  std::vector<std::unique_ptr<postgres_reader>> idle_; ///< As many as there have been threads that read at once.
};

} // namespace troupe
