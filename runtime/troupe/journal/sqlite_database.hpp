// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/journal/path_lock.hpp>
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_places.hpp>
#include <troupe/journal/sqlite_reader.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3_file;

namespace troupe {

/// Journals in a SQLite file: write-ahead log, synced after each commit by who calls `sync`, one process at a time.
///
/// The file's own and its log's only: a commit or sync that fails, for whatever reason, makes this object refuse all others. What
/// the file holds after a failed sync is known to nobody: the kernel may have dropped pages that it could not write, and
/// say so only once. Opened again, everything in the log is first written out anew. Until then nobody is shown a commit that was not
/// synced: an actor that went on from it would acknowledge what a crash takes away. (A. Rebello et al., "Can applications
/// recover from fsync failures?", USENIX ATC 2020.)
class sqlite_database final : public journal_database {
public:
  struct options {
    int cache_kib = 32 * 1024;               ///< Of the writing connection.
    int checkpoint_every = 32 * 1024;        ///< Pages in the log (of 4 KiB) after which they move into the file.
    std::uint64_t place_every = 1024 * 1024; ///< Rows after which their journals' places begin to be written down.
    std::string vfs;                         ///< A registered SQLite VFS; empty: the default one.
    bool lock = true;                        ///< Keeps other processes out.
    std::function<void(std::string_view)> failed{}; ///< See sqlite_options.
  };
  /// Errors: journal_error, also if another process has it open.
  sqlite_database(const std::string& path, options o);
  ~sqlite_database() override;

  const std::string& name() const noexcept override { return path_; }
  bool was_empty() const noexcept override { return was_empty_; }
  std::uint64_t erased_to() const noexcept override { return erased_to_; }
  void write(batch b) override;
  bool syncs_apart() const noexcept override { return true; }
  void sync() override;
  void reclaim() override;
  std::shared_ptr<journal_reader> read() override;

private:
  struct statements;

  void write(const journal_write& w);
  void begin_without_rows(std::string_view key, open_journal& open);
  void add_events(const journal_change& c, sqlite_place& at);
  void put_snapshot(const journal_change& c, sqlite_place& at);
  void drop_events(const journal_change& c, sqlite_place& at);
  void erase(std::string_view key, open_journal& open);
  void move_log(int how);
  void check_usable();
  void check_shown();
  void fail(const std::string& why);
  void lose_trust(bool in_doubt);

  // -- immutable --
  const std::string path_;
  const options options_;

  const std::optional<path_lock> lock_;
  // -- by the constructor --
  bool was_empty_ = false;
  std::uint64_t erased_to_ = 0;

  // -- the writer --
  sqlite_connection connection_;
  std::unique_ptr<statements> statements_;
  sqlite_place_table table_{connection_};
  sqlite_places places_; ///< Whose `find` the readers call, too.
  int log_pages_ = 0;
  bool log_moved_ = false; ///< All of it: the next commit may begin it anew.

  /// Written by the writer's connection, synced by `sync`, and by that connection when it moves the log or begins it anew.
  sqlite3_file* log_ = nullptr;
  /// Held by who syncs the log until `failure_` says how that ended: the kernel tells of a page that it could not write only
  /// one of those who ask. Before mutex_.
  std::mutex syncing_;

  // -- atomic: transactions committed, and of these synced; each is written by one thread at a time --
  std::atomic<std::uint64_t> committed_{0};
  std::atomic<std::uint64_t> synced_{0};

  // -- guarded by mutex_ --
  std::mutex mutex_;                                 // leaf lock
  std::vector<std::unique_ptr<sqlite_reader>> idle_; ///< As many as there have been threads that read at once.
  std::string failure_;                              ///< Empty: none so far.
  bool sync_failed_ = false;                         ///< Or may have: the log is not synced again.
  bool in_doubt_ = false; ///< A commit failed, and may be found when the file is opened again.
};

} // namespace troupe
