// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_database.hpp>
#include <troupe/journal/sqlite_schema.hpp>

#include <exception>
#include <sqlite3.h>
#include <utility>

namespace troupe {

struct sqlite_database::statements {
  explicit statements(sqlite_connection& c)
      : begin{c, "BEGIN IMMEDIATE"}, commit{c, "COMMIT"}, //
        put_journal{c, "INSERT OR REPLACE INTO journals VALUES (?, ?, ?)"},
        add_event{c, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"},
        note_handled{c, "INSERT INTO handled VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                        "SET sequence = excluded.sequence, checksum = excluded.checksum "
                        "WHERE excluded.sequence > sequence"},
        add_send{c, "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        settle{c, "DELETE FROM outbox WHERE journal = ? AND sequence = ?"},
        put_snapshot{c, "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)"},
        trim_snapshots{c, "DELETE FROM snapshots WHERE journal = ? AND sequence NOT IN (?, ?)"},
        drop_events{c, "DELETE FROM events WHERE journal = ? AND sequence <= ?"} {}

  sqlite_statement begin, commit;
  sqlite_statement put_journal, add_event, note_handled, add_send, settle;
  sqlite_statement put_snapshot, trim_snapshots, drop_events;
};

sqlite_database::sqlite_database(const std::string& path, options o)
    : path_{path}, options_{std::move(o)}, lock_{options_.lock ? std::optional<path_lock>{std::in_place, path}
                                                               : std::nullopt},
      connection_{path, sqlite_connection::mode::write, options_.vfs} {
  auto& c = connection_;
  // Not when the last connection is closed either: only where the outcome is seen.
  sqlite3_db_config(c.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (c.text_of("PRAGMA journal_mode = WAL") != "wal")
    throw journal_error{path + ": this file system does not allow a write-ahead log"};
  c.execute("PRAGMA synchronous = FULL");
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
  statements_ = std::make_unique<statements>(c);
}

sqlite_database::~sqlite_database() {
  idle_.clear();
  if (!failure_.empty())
    return;
  try {
    move_log(SQLITE_CHECKPOINT_TRUNCATE);
  } catch (const journal_error&) {
    // It is all in the log still, for the next to open the file.
  }
}

void sqlite_database::commit(std::span<const std::unique_ptr<journal_write>> batch) {
  if (!failure_.empty())
    throw journal_error{"journal " + path_ + " takes nothing more until it is opened again, because: " + failure_};
  try {
    statements_->begin.run();
    for (const auto& w : batch)
      write(*w);
    statements_->commit.run();
    if (log_pages_ >= options_.checkpoint_every)
      move_log(SQLITE_CHECKPOINT_PASSIVE);
  } catch (const std::exception& e) {
    failure_ = e.what();
    throw;
  }
}

void sqlite_database::write(const journal_write& w) {
  auto& s = *statements_;
  if (w.erase)
    erase(w.key);
  if (w.last_sent)
    s.put_journal.bind(w.key, *w.last_sent, checksum_of_head(w.key, *w.last_sent)).run();
  for (const auto& e : w.events)
    s.add_event.bind(w.key, e.sequence, e.time, e.type, e.version, e.data, e.checksum).run();
  if (w.handled)
    s.note_handled.bind(w.key, w.handled->sender, w.handled->sequence, w.handled->checksum).run();
  for (const auto& o : w.sends) {
    const auto& m = o.message;
    const auto* due = o.due ? &*o.due : nullptr;
    s.add_send.bind(w.key, m.sequence, m.time, o.target, due, o.timer, m.type, m.version, m.data, o.checksum).run();
  }
  for (const auto sequence : w.settled)
    s.settle.bind(w.key, sequence).run();
  if (w.snapshot) {
    const auto& r = *w.snapshot;
    s.put_snapshot.bind(w.key, r.sequence, r.time, r.type, r.version, r.data, r.checksum).run();
    if (w.other_snapshot)
      s.trim_snapshots.bind(w.key, r.sequence, *w.other_snapshot).run();
  }
  if (w.drop_events_to)
    s.drop_events.bind(w.key, *w.drop_events_to).run();
}

void sqlite_database::erase(const std::string& key) {
  for (const auto* sql : {"DELETE FROM journals WHERE key = ?", "DELETE FROM events WHERE journal = ?",
                          "DELETE FROM snapshots WHERE journal = ?", "DELETE FROM handled WHERE journal = ?",
                          "DELETE FROM outbox WHERE journal = ?"})
    sqlite_statement{connection_, sql}.bind(key).run();
}

/// Moves the log's pages into the file, and syncs that. Readers may hold some of it back; then it is done the next time.
void sqlite_database::move_log(int how) {
  const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, how, nullptr, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    connection_.fail("checkpoint", code);
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
    reader = std::make_unique<sqlite_reader>(path_, sqlite_connection::mode::look, options_.vfs);
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
