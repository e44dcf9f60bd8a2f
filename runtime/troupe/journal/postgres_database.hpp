// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/journal/postgres_reader.hpp>
#include <troupe/journal/postgres_session.hpp>
#include <troupe/seams.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// Journals on a PostgreSQL server. The session that writes holds an advisory lock, so whoever can write is the only one;
/// with the session the lock goes, and with it the right to write.
///
/// A server that is lost while a transaction is on its way leaves that one's outcome unknown: it fails, but not before it is
/// decided. The lost session may live on at the server and still commit; a new one gets the lock only when that is over, and
/// the failure waits for the new one, up to `patience` from the loss on. If that is not enough, nothing can be read until
/// there is a new session. Later transactions wait as long; after that each tries once, as does each who would read, and
/// fails until the server is back. One that lacks what was acknowledged, or was written by others, is not taken back.
/// A server that says nothing for `longest_silence` is lost, too.
class postgres_database final : public journal_database {
public:
  struct options {
    std::chrono::milliseconds patience{30'000};
    std::chrono::milliseconds longest_silence = postgres_connection::default_silence;
  };
  /// Errors: journal_error, also if another session writes these journals; usage_error: an option is out of its range.
  postgres_database(const std::string& url, options o);

  const std::string& name() const noexcept override { return name_; }
  std::uint64_t erased_to() const noexcept override { return erased_to_; }
  void write(batch b) override;
  void reclaim() override;
  std::shared_ptr<journal_reader> read() override;

private:
  void connect();
  void reconnect();
  bool has_session();
  void lose_session() noexcept;
  void require_decided();
  void send(const journal_change& w);

  // -- immutable --
  const std::string url_;
  const std::string name_;
  const options options_;
  const std::shared_ptr<clock> clock_ = production_clock(); // a server is outside of every simulation

  std::uint64_t erased_to_ = 0; // by the constructor

  // -- the writer --
  time_point lost_{};           ///< When the last session ended.
  time_point hopeless_until_{}; ///< Until then whoever writes shares the last failure.

  // -- guarded by connecting_; the writer, who alone ends a session, uses the one that it has found without it --
  std::mutex connecting_; // held while a session is being made; before mutex_
  std::unique_ptr<postgres_session> session_;
  postgres_session::past past_; // the writer's too while there is a session
  std::string last_failure_;
  std::atomic<std::uint64_t> failures_{
      0}; ///< To make one. Read without the lock too, relaxed: a count, nothing hangs on it.

  // -- guarded by mutex_ --
  std::mutex mutex_;                                   // leaf lock
  bool undecided_ = false;                             ///< A lost session may still commit.
  std::uint64_t sessions_ = 0;                         ///< So far.
  std::vector<std::unique_ptr<postgres_reader>> idle_; ///< As many as there have been threads that read at once.
};

} // namespace troupe
