// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_schema.hpp>
#include <troupe/journal/store.hpp>

#include <array>
#include <charconv>
#include <string>

namespace troupe {

namespace {

/// Step i brings a database from version i to i + 1; a step that was released is never changed again.
///
/// Events and snapshots lie in the order in which they were added, whichever journals they belong to: a commit writes few
/// pages. The rest is clustered by journal.
constexpr std::array migrations{
    // 0 -> 1
    R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- One row for each journal that holds something. last_sent: the highest outbox sequence ever used.
CREATE TABLE journals (
  key TEXT PRIMARY KEY,
  last_sent INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- time: microseconds since 1970-01-01 UTC, for people; order is by sequence. data: JSON.
CREATE TABLE events (
  journal TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence)
) STRICT, WITHOUT ROWID;

-- The state after the event with that sequence; the last two of each journal.
CREATE TABLE snapshots (
  journal TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence)
) STRICT, WITHOUT ROWID;

-- The highest outbox sequence of each sender that a journal has handled.
CREATE TABLE handled (
  journal TEXT NOT NULL,
  sender TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (journal, sender)
) STRICT, WITHOUT ROWID;

-- Messages and timers that are not settled. due: as time; NULL: at once. timer: its name, '' for a message.
CREATE TABLE outbox (
  journal TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  target TEXT NOT NULL,
  due INTEGER,
  timer TEXT NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence)
) STRICT, WITHOUT ROWID;
)",
    // 1 -> 2
    R"(
ALTER TABLE events RENAME TO events_1;
ALTER TABLE snapshots RENAME TO snapshots_1;

-- In the order in which they were added. previous: the number of the journal's row before, 0 for none.
CREATE TABLE events (
  number INTEGER PRIMARY KEY,
  previous INTEGER NOT NULL,
  journal TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;

-- The state after the event with that sequence; the last two of each journal.
CREATE TABLE snapshots (
  number INTEGER PRIMARY KEY,
  previous INTEGER NOT NULL,
  journal TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;

-- The numbers of each journal's last event and snapshot, 0 for none, as far as meta.placed_to.
CREATE TABLE places (
  journal TEXT PRIMARY KEY,
  event INTEGER NOT NULL,
  snapshot INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO events
  SELECT row_number() OVER w,
         CASE WHEN lag(journal) OVER w = journal THEN row_number() OVER w - 1 ELSE 0 END,
         journal, sequence, time, type, version, data, checksum
  FROM events_1 WINDOW w AS (ORDER BY journal, sequence);
INSERT INTO snapshots
  SELECT row_number() OVER w,
         CASE WHEN lag(journal) OVER w = journal THEN row_number() OVER w - 1 ELSE 0 END,
         journal, sequence, time, type, version, data, checksum
  FROM snapshots_1 WINDOW w AS (ORDER BY journal, sequence);
DROP TABLE events_1;
DROP TABLE snapshots_1;
)",
    // 2 -> 3: a journal that has sent nothing comes into `journals` together with its place; until then it is one of those
    // with rows above meta.placed_to.
    "",
};

constexpr int current = static_cast<int>(migrations.size());
constexpr int readable = 2; // and later ones: rows name the one before

/// 0: an empty database.
int version_of(sqlite_connection& c) {
  if (c.text_of("SELECT count(*) FROM sqlite_schema") == "0")
    return 0;
  const auto refuse = [&] { throw journal_error{c.path() + " is a database, but holds no journals"}; };
  if (c.text_of("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") == "0")
    refuse();
  const auto text = c.text_of("SELECT value FROM meta WHERE name = 'schema_version'");
  int version = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), version).ec != std::errc{} || version < 1)
    refuse();
  if (version > current)
    throw journal_error{c.path() + " is of schema version " + std::to_string(version) +
                        "; this program knows versions up to " + std::to_string(current)};
  return version;
}

} // namespace

void prepare_sqlite_schema(sqlite_connection& c) {
  const int found = version_of(c);
  if (found == current)
    return;
  c.execute("BEGIN IMMEDIATE");
  for (int v = found; v < current; ++v)
    c.execute(migrations[static_cast<std::size_t>(v)]);
  sqlite_statement set{c, "INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)"};
  set.bind(std::string_view{std::to_string(current)}).run();
  c.execute("COMMIT");
}

void check_sqlite_schema(sqlite_connection& c) {
  const int found = version_of(c);
  if (found == 0)
    throw journal_error{c.path() + " is empty: it holds no journals"};
  if (found < readable)
    throw journal_error{c.path() + " is of schema version " + std::to_string(found) +
                        "; it can be read once a service has opened it, which brings it up to date"};
}

} // namespace troupe
