// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_schema.hpp>
#include <troupe/journal/postgres_session.hpp>
#include <troupe/journal/store.hpp>

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
    {"count", "UPDATE meta SET value = $1 WHERE name = 'transactions'"},
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
    {"note_erased",
     "INSERT INTO meta SELECT 'erased_to', last_sent::text FROM journals WHERE key = $1 AND last_sent > 0 "
     "ON CONFLICT (name) DO UPDATE "
     "SET value = greatest(meta.value::bigint, excluded.value::bigint)::text"},
    {"erase_journal", "DELETE FROM journals WHERE key = $1"},
    {"erase_events", "DELETE FROM events WHERE journal = $1"},
    {"erase_snapshots", "DELETE FROM snapshots WHERE journal = $1"},
    {"erase_handled", "DELETE FROM handled WHERE journal = $1"},
    {"erase_outbox", "DELETE FROM outbox WHERE journal = $1"},
};

/// Returns how many transactions of this store the server has. Throws if what actors know of their journals is no longer true.
std::uint64_t require_unchanged(postgres_connection& c, const postgres_session::past& before) {
  std::string what;
  const auto found = postgres_transactions(c);
  if (c.text_of("SELECT value FROM meta WHERE name = 'writer'") != before.mark)
    what = "was opened by another writer";
  else if (found < before.transactions)
    what = "lacks what was acknowledged last (transactions: " + std::to_string(before.transactions - found) +
           "), as a standby that lagged behind has taken over or a backup was restored,";
  else
    return found;
  throw journal_error{c.name() + ' ' + what +
                      " after the connection of this one had been lost; only a store that is opened anew can go on"};
}

} // namespace

postgres_connection& postgres_session::made_ready(postgres_connection& c, const past& before, past& self) {
  lift_postgres_limits(c);
  refuse_postgres_standby(c);
  refuse_narrow_encoding(c);
  c.execute("SET lock_timeout = 10000"); // somebody else may be making the tables, and have gone
  prepare_postgres_schema(c);
  c.execute("SET lock_timeout = 0");
  self.id = c.session();
  lock_postgres_journals(c, before.id);
  if (before.mark.empty()) {
    self.mark = mark_postgres_journals(c);
  } else {
    self.transactions = require_unchanged(c, before);
    self.mark = before.mark;
  }
  // What is acknowledged must be on the disk, whatever the server's default is, or becomes: what is set here stays.
  c.text_of("SELECT set_config('synchronous_commit', CASE was WHEN 'off' THEN 'on' ELSE was END, false) "
            "FROM current_setting('synchronous_commit') AS was");
  for (const auto& s : statements)
    c.prepare(s.name, s.sql);
  return c;
}

postgres_session::postgres_session(const std::string& url, std::chrono::milliseconds silence, const past& before)
    : connection_{url, silence}, new_events_{made_ready(connection_, before, self_)} {}

} // namespace troupe
