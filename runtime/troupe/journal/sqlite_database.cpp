// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_database.hpp>
#include <troupe/journal/sqlite_new_events.hpp>
#include <troupe/journal/sqlite_schema.hpp>

#include <charconv>
#include <exception>
#include <sqlite3.h>
#include <utility>

namespace troupe {

struct sqlite_database::statements {
  explicit statements(sqlite_connection& c)
      : begin{c, "BEGIN IMMEDIATE"}, commit{c, "COMMIT"}, //
        put_journal{c, "INSERT OR REPLACE INTO journals VALUES (?, ?, ?)"},
        note_handled{c, "INSERT INTO handled VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                        "SET sequence = excluded.sequence, checksum = excluded.checksum "
                        "WHERE excluded.sequence > sequence"},
        forget_sender{c, "DELETE FROM handled WHERE journal = ? AND sender = ?"},
        add_send{c, "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        settle{c, "DELETE FROM outbox WHERE journal = ? AND sequence = ?"},
        put_place{c, "INSERT OR REPLACE INTO places VALUES (?, 0, 0, ?)"},
        put_snapshot{c, "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        step_event{c, "SELECT sequence, previous FROM events WHERE number = ? AND journal = ?"},
        step_snapshot{c, "SELECT sequence, previous FROM snapshots WHERE number = ? AND journal = ?"},
        drop_event{c, "DELETE FROM events WHERE number = ?"}, //
        drop_snapshot{c, "DELETE FROM snapshots WHERE number = ?"},
        end_events{c, "UPDATE events SET previous = 0 WHERE number = ?"},
        end_snapshots{c, "UPDATE snapshots SET previous = 0 WHERE number = ?"},
        note_erased{c,
                    "INSERT INTO meta SELECT 'erased_to', last_sent FROM journals WHERE key = ? AND last_sent > 0 "
                    "ON CONFLICT DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))"},
        erase_journal{c, "DELETE FROM journals WHERE key = ?"}, //
        erase_handled{c, "DELETE FROM handled WHERE journal = ?"},
        erase_outbox{c, "DELETE FROM outbox WHERE journal = ?"}, //
        erase_place{c, "DELETE FROM places WHERE journal = ?"}, new_events{c} {}

  sqlite_statement begin, commit;
  sqlite_statement put_journal, note_handled, forget_sender, add_send, settle, put_place;
  sqlite_statement put_snapshot, step_event, step_snapshot, drop_event, drop_snapshot, end_events, end_snapshots;
  sqlite_statement note_erased, erase_journal, erase_handled, erase_outbox, erase_place;
  sqlite_new_events new_events; ///< Of the batch in hand. What looks at events has them inserted before.
};

sqlite_database::sqlite_database(const std::string& path, options o)
    : path_{path}, options_{std::move(o)}, lock_{options_.lock ? std::optional<path_lock>{std::in_place, path}
                                                               : std::nullopt},
      connection_{path, sqlite_connection::mode::write, options_.vfs}, places_{options_.place_every} {
  auto& c = connection_;
  // Not when the last connection is closed either: only where the outcome is seen.
  sqlite3_db_config(c.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (c.text_of("PRAGMA journal_mode = WAL") != "wal")
    throw journal_error{path + ": this file system does not allow a write-ahead log"};
  c.execute("PRAGMA synchronous = NORMAL");   // `sync` does what FULL does at the end of each commit
  c.execute("PRAGMA wal_autocheckpoint = 0"); // it would swallow a failed sync
  c.execute(("PRAGMA cache_size = -" + std::to_string(options_.cache_kib)).c_str());
  sqlite3_wal_hook(
      c.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<sqlite_database*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  move_log(SQLITE_CHECKPOINT_TRUNCATE); // see above: what a former failure left is written anew
  prepare_sqlite_schema(c);
  places_.load(c);
  places_.committed();
  was_empty_ = c.text_of("SELECT EXISTS (SELECT 1 FROM journals) OR EXISTS (SELECT 1 FROM places) OR "
                         "EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM snapshots) OR "
                         "EXISTS (SELECT 1 FROM handled) OR EXISTS (SELECT 1 FROM outbox)") == "0";
  const auto erased = c.text_of("SELECT value FROM meta WHERE name = 'erased_to'");
  std::from_chars(erased.data(), erased.data() + erased.size(), erased_to_);
  statements_ = std::make_unique<statements>(c);
  const int code = sqlite3_file_control(c.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log_));
  if (code != SQLITE_OK || log_ == nullptr || log_->pMethods == nullptr)
    throw journal_error{path + ": its write-ahead log cannot be found"};
}

sqlite_database::~sqlite_database() {
  idle_.clear();
  if (!failure_.empty())
    return;
  try {
    statements_->begin.run();
    places_.write_down_all(connection_);
    statements_->commit.run();
    move_log(SQLITE_CHECKPOINT_TRUNCATE);
  } catch (const std::exception&) {
    // It is all in the log still, for the next to open the file, and places can be found again.
  }
}

void sqlite_database::check_usable() {
  std::unique_lock held{mutex_};
  if (!failure_.empty())
    throw journal_error{"journal " + path_ + " takes nothing more until it is opened again, because: " + failure_};
}

/// What a failure has left committed but not synced is visible, and not durable.
void sqlite_database::check_shown() {
  std::unique_lock held{mutex_};
  if (!failure_.empty() && (in_doubt_ || synced_.load() < committed_.load()))
    throw recovery_error{"journal " + path_ +
                         " shows nothing and takes nothing more until it is opened again, because some " +
                         "of it may not be on the disk: " + failure_};
}

void sqlite_database::fail(const std::string& why) {
  {
    std::unique_lock held{mutex_};
    if (!failure_.empty())
      return;
    failure_ = why;
  }
  if (options_.failed)
    options_.failed(why);
}

void sqlite_database::lose_trust(bool in_doubt) {
  std::unique_lock held{mutex_};
  sync_failed_ = true;
  in_doubt_ = in_doubt_ || in_doubt;
}

namespace {

/// Whether a commit that failed like this is in the log for nobody: its last page was not written, or the sync that goes before
/// the first one failed. What comes after the last page, room for the log's index, leaves the log with all of it.
bool is_undone(int code) { return code == SQLITE_FULL || code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC; }

} // namespace

void sqlite_database::write(batch b) {
  check_usable();
  std::unique_lock syncing{syncing_, std::defer_lock}; // until the outcome is known to all
  bool may_sync = false;                               // and fail at it
  bool committing = false;
  try {
    statements_->begin.run();
    for (std::size_t i = 0; i < b.size(); ++i) {
      constexpr std::size_t ahead = 4;
      if (i + 2 * ahead < b.size())
        b[i + 2 * ahead]->fetch();
      if (i + ahead < b.size())
        __builtin_prefetch(b[i + ahead]->journal.get());
      write(*b[i]);
    }
    statements_->new_events.insert();
    places_.publish();
    places_.write_down(connection_);
    if (log_moved_)
      syncing.lock();
    may_sync = committing = true;
    statements_->commit.run();
    committing = false;
    ++committed_;
    places_.committed();
    if (log_moved_)
      syncing.unlock();
    log_moved_ = false;
    if (log_pages_ >= options_.checkpoint_every) {
      syncing.lock();
      move_log(SQLITE_CHECKPOINT_PASSIVE);
    }
  } catch (const std::exception& e) {
    places_.withdraw();
    if (may_sync)
      lose_trust(committing && !is_undone(sqlite3_extended_errcode(connection_.handle())));
    fail(e.what());
    throw;
  }
}

/// By the file alone: the connection is the writer's.
void sqlite_database::sync() {
  const std::unique_lock syncing{syncing_};
  {
    std::unique_lock held{mutex_};
    if (sync_failed_)
      throw journal_error{"journal " + path_ + " is not synced again until it is opened again, because: " + failure_};
  }
  const auto committed = committed_.load();
  const int code = log_->pMethods->xSync(log_, SQLITE_SYNC_NORMAL);
  if (code == SQLITE_OK) {
    synced_ = committed;
    return;
  }
  lose_trust(false);
  const auto text =
      "journal " + path_ + ": sync of its log: " + sqlite3_errstr(code) + " [SQLite " + std::to_string(code) + "]";
  fail(text);
  throw journal_error{text};
}

void sqlite_database::write(const journal_write& w) {
  auto& s = *statements_;
  const auto& c = w.change();
  open_journal nobody;
  auto& open = w.journal != nullptr ? *w.journal : nobody;
  if (c.erase)
    erase(c.key, open);
  const bool has_rows = !c.events.empty() || c.snapshot;
  if (has_rows || c.drop_events_to)
    places_.change(c.key, open, c.first, table_, [&](sqlite_place& at) {
      add_events(c, at);
      if (c.snapshot)
        put_snapshot(c, at);
      if (c.drop_events_to)
        drop_events(c, at);
    });
  else if (c.first)
    begin_without_rows(c.key, open);
  else if (!c.erase)
    places_.settle(c.key, open, table_);
  if (c.last_sent && (*c.last_sent > 0 || !has_rows)) // otherwise it is listed with its place
    s.put_journal.bind(c.key, *c.last_sent, checksum_of_head(c.key, *c.last_sent)).run();
  for (const auto sender : c.forgotten)
    s.forget_sender.bind(c.key, sender).run();
  if (c.handled)
    s.note_handled.bind(c.key, c.handled->sender, c.handled->sequence, c.handled->checksum).run();
  for (const auto& o : c.sends) {
    const auto& m = o.message;
    const auto* due = o.due ? &*o.due : nullptr;
    s.add_send.bind(c.key, m.sequence, m.time, o.target, due, o.timer, m.type, m.version, m.data, o.checksum).run();
  }
  for (const auto sequence : c.settled)
    s.settle.bind(c.key, sequence).run();
}

/// What a journal without events and snapshots has in the table from its first change on: nobody searches rows for it.
void sqlite_database::begin_without_rows(std::string_view key, open_journal& open) {
  statements_->put_place.bind(key, checksum_of_place(key, 0, 0)).run();
  open.at = {};
  open.placed = true;
}

void sqlite_database::add_events(const journal_change& c, sqlite_place& at) {
  for (const auto& e : c.events) {
    const auto number = places_.next_number();
    statements_->new_events.add({number, at.event, c.key, &e});
    at.event = number;
  }
}

/// Of the earlier ones stays the one that is named, or all if none is; one with the same sequence is replaced.
void sqlite_database::put_snapshot(const journal_change& c, sqlite_place& at) {
  auto& s = *statements_;
  const auto& r = *c.snapshot;
  std::uint64_t newest = 0; // of those that stay
  std::uint64_t oldest = 0;
  bool dropped = false; // one before the oldest
  for (auto number = at.snapshot; number != 0;) {
    const sqlite_reset after{s.step_snapshot};
    if (!s.step_snapshot.bind(number, c.key).step())
      break;
    const auto sequence = s.step_snapshot.count(0);
    const auto next = s.step_snapshot.count(1);
    if (sequence == r.sequence || (c.other_snapshot && sequence != *c.other_snapshot)) {
      s.drop_snapshot.bind(number).run();
      dropped = oldest != 0;
    } else {
      newest = newest == 0 ? number : newest;
      oldest = number;
    }
    number = next;
  }
  if (dropped)
    s.end_snapshots.bind(oldest).run();
  at.snapshot = places_.next_number();
  s.put_snapshot.bind(at.snapshot, newest, c.key, r.sequence, r.time, r.type, r.version, r.data, r.checksum).run();
}

void sqlite_database::drop_events(const journal_change& c, sqlite_place& at) {
  auto& s = *statements_;
  s.new_events.insert();
  std::uint64_t oldest = 0; // of those that stay
  bool dropped = false;
  for (auto number = at.event; number != 0;) {
    const sqlite_reset after{s.step_event};
    if (!s.step_event.bind(number, c.key).step())
      break;
    const auto next = s.step_event.count(1);
    if (s.step_event.count(0) <= *c.drop_events_to) {
      s.drop_event.bind(number).run();
      dropped = true;
    } else {
      oldest = number;
    }
    number = next;
  }
  if (dropped && oldest != 0)
    s.end_events.bind(oldest).run();
  else if (dropped)
    at.event = 0;
}

void sqlite_database::erase(std::string_view key, open_journal& open) {
  auto& s = *statements_;
  s.new_events.insert();
  sqlite_place at;
  places_.change(key, open, false, table_, [&](sqlite_place& now) { at = std::exchange(now, {}); });
  const auto drop_all = [&](std::uint64_t number, sqlite_statement& step, sqlite_statement& drop) {
    while (number != 0) {
      const sqlite_reset after{step};
      if (!step.bind(number, key).step())
        break;
      const auto next = step.count(1);
      drop.bind(number).run();
      number = next;
    }
  };
  drop_all(at.event, s.step_event, s.drop_event);
  drop_all(at.snapshot, s.step_snapshot, s.drop_snapshot);
  for (auto* gone : {&s.note_erased, &s.erase_journal, &s.erase_handled, &s.erase_outbox, &s.erase_place})
    gone->bind(key).run();
  places_.forget(key);
}

/// Moves the log's pages into the file, and syncs that. Readers may hold some of it back; then it is done the next time.
void sqlite_database::move_log(int how) {
  int in_log = 0;
  int moved = -1;
  const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, how, &in_log, &moved);
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    connection_.fail("checkpoint", code);
  log_moved_ = in_log == moved;
}

void sqlite_database::reclaim() {
  connection_.execute("VACUUM");
  move_log(SQLITE_CHECKPOINT_TRUNCATE);
}

std::shared_ptr<journal_reader> sqlite_database::read() {
  std::unique_ptr<sqlite_reader> reader;
  {
    std::unique_lock held{mutex_};
    if (!idle_.empty()) {
      reader = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (reader == nullptr) {
    // A failure after a look began concerns nobody's own commits: their outcome is waited for before.
    reader = std::make_unique<sqlite_reader>(path_, places_, options_.vfs, [this] { check_shown(); });
    sqlite3_db_config(reader->connection().handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  reader->begin();
  const auto give_back = [this](sqlite_reader* r) {
    std::unique_ptr<sqlite_reader> owned{r};
    try {
      owned->end();
    } catch (const journal_error&) {
      return; // a connection that cannot even end a look is of no use
    }
    std::unique_lock held{mutex_};
    idle_.push_back(std::move(owned));
  };
  return {reader.release(), give_back};
}

} // namespace troupe
