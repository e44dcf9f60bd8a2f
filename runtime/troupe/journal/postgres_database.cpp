// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_database.hpp>
#include <troupe/journal/postgres_schema.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace troupe {

namespace {

struct statement {
  const char* name;
  const char* sql;
};

/// Sent by name.
constexpr statement statements[] = {
    {"begin", "BEGIN"},
    {"commit", "COMMIT"},
    {"put_journal", "INSERT INTO journals VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE "
                    "SET last_sent = excluded.last_sent, checksum = excluded.checksum"},
    {"note_handled", "INSERT INTO handled VALUES ($1, $2, $3, $4) ON CONFLICT (journal, sender) DO UPDATE "
                     "SET sequence = excluded.sequence, checksum = excluded.checksum "
                     "WHERE excluded.sequence > handled.sequence"},
    {"forget_sender", "DELETE FROM handled WHERE journal = $1 AND sender = $2"},
    {"add_send", "INSERT INTO outbox VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"},
    {"settle", "DELETE FROM outbox WHERE journal = $1 AND sequence = $2"},
    {"put_snapshot", "INSERT INTO snapshots VALUES ($1, $2, $3, $4, $5, $6, $7) "
                     "ON CONFLICT (journal, sequence) DO UPDATE SET time = excluded.time, type = excluded.type, "
                     "version = excluded.version, data = excluded.data, checksum = excluded.checksum"},
    {"trim_snapshots", "DELETE FROM snapshots WHERE journal = $1 AND sequence NOT IN ($2, $3)"},
    {"drop_events", "DELETE FROM events WHERE journal = $1 AND sequence <= $2"},
    {"erase_journal", "DELETE FROM journals WHERE key = $1"},
    {"erase_events", "DELETE FROM events WHERE journal = $1"},
    {"erase_snapshots", "DELETE FROM snapshots WHERE journal = $1"},
    {"erase_handled", "DELETE FROM handled WHERE journal = $1"},
    {"erase_outbox", "DELETE FROM outbox WHERE journal = $1"},
};

/// Makes the tables, takes the lock, and has the server know the statements.
postgres_connection& made_ready(postgres_connection& c) {
  prepare_postgres_schema(c);
  lock_postgres_journals(c);
  // What is acknowledged must be on the disk, whatever the server's default is.
  if (c.text_of("SHOW synchronous_commit") == "off")
    c.execute("SET synchronous_commit = on");
  for (const auto& s : statements)
    c.prepare(s.name, s.sql);
  return c;
}

} // namespace

postgres_database::session::session(const std::string& url) : connection{url}, new_events{made_ready(connection)} {}

postgres_database::postgres_database(const std::string& url, options o)
    : url_{url}, name_{postgres_connection::name_of(url)}, options_{std::move(o)} {
  session_.emplace(url_);
}

void postgres_database::reconnect() {
  using std::chrono::milliseconds;
  constexpr milliseconds longest{2'000};
  for (milliseconds pause{50};; pause = std::min(2 * pause, longest)) {
    try {
      session_.emplace(url_);
      return;
    } catch (const journal_error&) {
      if (options_.clock->now() - lost_ + pause > options_.patience)
        throw;
    }
    std::this_thread::sleep_for(pause); // seams: a server is outside of every simulation
  }
}

void postgres_database::write(batch b) {
  if (!session_)
    reconnect();
  auto& c = session_->connection;
  try {
    c.begin_pipeline();
    c.send("begin");
    for (const auto& w : b)
      send(w->change());
    session_->new_events.send();
    c.send("commit");
    c.end_pipeline();
  } catch (const journal_error& e) {
    if (c.usable())
      throw;
    lose_session();
    throw journal_error{std::string{e.what()} + "; whether this was kept is unknown"};
  } catch (...) { // no memory; half of it may be on its way
    lose_session();
    throw;
  }
}

void postgres_database::lose_session() noexcept {
  session_.reset();
  lost_ = options_.clock->now();
}

void postgres_database::send(const journal_change& w) {
  using with = postgres_parameters;
  auto& c = session_->connection;
  if (w.erase) {
    session_->new_events.send();
    for (const auto* s : {"erase_journal", "erase_events", "erase_snapshots", "erase_handled", "erase_outbox"})
      c.send(s, with{w.key});
  }
  if (w.last_sent)
    c.send("put_journal", with{w.key, *w.last_sent, checksum_of_head(w.key, *w.last_sent)});
  for (const auto& e : w.events)
    session_->new_events.add(w.key, e);
  for (const auto sender : w.forgotten)
    c.send("forget_sender", with{w.key, sender});
  if (w.handled)
    c.send("note_handled", with{w.key, w.handled->sender, w.handled->sequence, w.handled->checksum});
  for (const auto& o : w.sends) {
    const auto& m = o.message;
    c.send("add_send",
           with{w.key, m.sequence, m.time, o.target, o.due, o.timer, m.type, m.version, m.data, o.checksum});
  }
  for (const auto sequence : w.settled)
    c.send("settle", with{w.key, sequence});
  if (w.snapshot) {
    const auto& r = *w.snapshot;
    c.send("put_snapshot", with{w.key, r.sequence, r.time, r.type, r.version, r.data, r.checksum});
    if (w.other_snapshot)
      c.send("trim_snapshots", with{w.key, r.sequence, *w.other_snapshot});
  }
  if (w.drop_events_to) {
    session_->new_events.send();
    c.send("drop_events", with{w.key, *w.drop_events_to});
  }
}

void postgres_database::reclaim() {
  if (!session_)
    reconnect();
  session_->connection.execute("VACUUM events");
}

std::shared_ptr<journal_reader> postgres_database::read() {
  std::unique_ptr<postgres_reader> reader;
  {
    std::unique_lock held{mutex_};
    if (!idle_.empty()) {
      reader = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (reader != nullptr) {
    try {
      reader->begin();
    } catch (const journal_error&) {
      reader.reset(); // its server has gone meanwhile; there may be a new one
    }
  }
  if (reader == nullptr) {
    reader = std::make_unique<postgres_reader>(url_);
    reader->begin();
  }
  const auto give_back = [this](postgres_reader* r) {
    std::unique_ptr<postgres_reader> owned{r};
    if (!owned->connection().usable())
      return;
    try {
      owned->end();
    } catch (const journal_error&) {
      return;
    }
    std::unique_lock held{mutex_};
    idle_.push_back(std::move(owned));
  };
  return {reader.release(), give_back};
}

} // namespace troupe
