// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/durable_store.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe {

struct sqlite_options : durable_options {
  int cache_kib = 32 * 1024; ///< The writer's page cache.
  /// Pages of 4 KiB in the write-ahead log after which they move into the file.
  int checkpoint_every = 32 * 1024;
  /// Events and snapshots after which it is written down where each journal's last ones are, while half as many more are
  /// added: that and no more has to be looked at when the file is opened after a kill.
  std::uint64_t place_every = 1'048'576;
  /// Off: no lock file, for a VFS whose files nobody else can reach.
  bool lock = true;
  std::string vfs{}; ///< The name of a SQLite VFS that the program has registered; empty: SQLite's own.
  /// Is told why the store takes nothing more until the file is opened again, when the first write or sync has failed. Actors
  /// that keep something fail from then on, whatever their supervisors do, so a service will want to end. Called once, from a
  /// thread of the store; must not throw.
  std::function<void(std::string_view why)> failed{};
};

/// Opens the SQLite file `path`, or makes it; its directory must be there. Beside it lie its log (`-wal`, `-shm`) and a lock
/// (`.lock`). `sqlite3 path` can look at it meanwhile; what the tables mean is said in docs/reference/journal.md.
///
/// What an append has acknowledged is on the disk, whatever happens to the process or the machine after that. A write or
/// sync that fails, also for want of space, fails the appends that wait for it, and the store then refuses everything until
/// the file is opened again.
///
/// Errors: journal_error naming the path: it cannot be opened, another process has it open (the message names that), it is
/// no journal, or was written by a later version.
std::shared_ptr<durable_store> open_sqlite_store(const std::string& path, sqlite_options o = {});

} // namespace troupe
