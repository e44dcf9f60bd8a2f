// SPDX-License-Identifier: BSD-3-Clause
// Claim: a SQLite store opens its own files alone, of its own version or an earlier one, in one process at a time, and says
// what is wrong with any other.
// Observed: what opening throws, and what is in the file afterwards.
#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_reader.hpp>
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/testing/manual_clock.hpp>

#include "runtime/journal/notes.hpp"
#include "runtime/journal/sqlite_files.hpp"
#include "support/faulty_vfs.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace notes;
using namespace std::chrono_literals;
using support::faulty_vfs;

TEST_CASE("sqlite store: a second process is refused and told who the first is") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  auto store = troupe::open_sqlite_store(path);
  int said[2];
  REQUIRE(::pipe(said) == 0);
  const auto child = ::fork();
  if (child == 0) {
    const auto text = message_of([&] { troupe::open_sqlite_store(path); });
    [[maybe_unused]] const auto n = ::write(said[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(said[1]);
  std::string text(1'000, ' ');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(said[0], text.data(), text.size()))));
  ::close(said[0]);
  ::waitpid(child, nullptr, 0);
  CHECK(text == path + " is in use by process " + std::to_string(::getpid()) + "; a journal has one writer");
  CHECK(says(message_of([&] { troupe::open_sqlite_store(path); }), "(this one)"));
}

TEST_CASE("sqlite store: a type without a format is refused when the journal is opened") {
  struct nameless {};
  static constexpr const troupe::journal_type* types[]{&troupe::journal_type_of<nameless>};
  support::temporary_directory folder;
  auto store = troupe::open_sqlite_store(folder / "journal.db");
  const auto text = message_of([&] { store->open("a", types); });
  CAPTURE(text);
  CHECK(says(text, "nameless has no journal_name"));
}

TEST_CASE("sqlite store: a directory that cannot be used is named") {
  support::temporary_directory folder;
  CHECK(says(message_of([&] { troupe::open_sqlite_store(folder / "missing/journal.db"); }),
             folder / "missing/journal.db cannot be locked"));
  CHECK(
      says(message_of([&] { troupe::open_sqlite_store(folder / "missing/journal.db"); }), "No such file or directory"));
  if (::geteuid() == 0) // to whom no directory is read-only
    REQUIRE(::seteuid(65534) == 0);
  const auto text = message_of([&] { troupe::open_sqlite_store("/etc/journal.db"); });
  if (::getuid() == 0)
    REQUIRE(::seteuid(0) == 0);
  CHECK(says(text, "/etc/journal.db cannot be locked"));
  CHECK(says(text, "Permission denied"));
}

TEST_CASE("sqlite store: a file of a later version, or of another kind, is refused and left alone") {
  support::temporary_directory folder;
  const auto later = folder / "later.db";
  troupe::open_sqlite_store(later);
  execute(later, "UPDATE meta SET value = '99' WHERE name = 'schema_version'");
  CHECK(message_of([&] { troupe::open_sqlite_store(later); }) ==
        later + " is of schema version 99; this program knows versions up to 3");
  const auto other = folder / "other.db";
  execute(other, "CREATE TABLE people (name TEXT)");
  CHECK(says(message_of([&] { troupe::open_sqlite_store(other); }), "is a database, but holds no journals"));
  const auto text = folder / "text.txt";
  write_bytes(text, std::string(5'000, 'x'));
  CHECK(says(message_of([&] { troupe::open_sqlite_store(text); }), "file is not a database"));
  CHECK(bytes_of(text) == std::string(5'000, 'x'));
}

TEST_CASE("sqlite store: a clock that goes backwards changes no order") {
  support::temporary_directory folder;
  auto clock = std::make_shared<troupe::manual_clock>();
  troupe::sqlite_options o;
  o.clock = clock;
  {
    auto store = troupe::open_sqlite_store(folder / "journal.db", o);
    auto j = open(*store, "a");
    for (int i = 0; i < 6; ++i) {
      keep_events(*j, removed{i});
      if (i == 2)
        j->snapshot(record(page{"2"}));
      if (i == 4)
        j->snapshot(record(page{"4"}));
      clock->shift_wall(-24h);
    }
  }
  auto store = troupe::open_sqlite_store(folder / "journal.db", o);
  CHECK(kept_under(*store, "a") == lines{"snapshot page 4", "removed 5"});
}

TEST_CASE("sqlite store: without a writer thread an append is durable when it returns, and its failure is thrown") {
  support::temporary_directory folder;
  troupe::sqlite_options o;
  o.threads = nullptr;
  o.vfs = faulty_vfs::name();
  auto store = troupe::open_sqlite_store(folder / "journal.db", o);
  auto j = open(*store, "a");
  const added e{"1"};
  const troupe::journal_record events[]{record(e)};
  troupe::journal_append a;
  a.events = events;
  const auto never = []() -> troupe::journal::completion { throw std::logic_error{"nothing is pending"}; };
  CHECK(j->append(a, never) == troupe::journal::status::durable);
  CHECK(bytes_of(folder / "journal.db-wal").find("added") != std::string::npos);
  faulty_vfs::fail(faulty_vfs::fault::sync, 1, "-wal");
  CHECK_THROWS_AS(j->append(a, never), troupe::journal_error);
  CHECK_THROWS_AS(j->append(a, never), troupe::journal_error);
}

TEST_CASE("sqlite store: a file of version 1 is brought up to date and loses nothing") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  const std::string columns =
      "(journal TEXT NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, "
      "version INTEGER NOT NULL, data TEXT NOT NULL, checksum INTEGER NOT NULL, "
      "PRIMARY KEY (journal, sequence)) STRICT, WITHOUT ROWID;";
  execute(path,
          "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
          "INSERT INTO meta VALUES ('schema_version', '1');"
          "CREATE TABLE journals (key TEXT PRIMARY KEY, last_sent INTEGER NOT NULL, checksum INTEGER NOT NULL) "
          "STRICT, WITHOUT ROWID;"
          "CREATE TABLE events " +
              columns + "CREATE TABLE snapshots " + columns +
              "CREATE TABLE handled (journal TEXT NOT NULL, sender TEXT NOT NULL, sequence INTEGER NOT NULL, "
              "checksum INTEGER NOT NULL, PRIMARY KEY (journal, sender)) STRICT, WITHOUT ROWID;"
              "CREATE TABLE outbox (journal TEXT NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL, "
              "target TEXT NOT NULL, due INTEGER, timer TEXT NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL, "
              "data TEXT NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (journal, sequence)) STRICT, WITHOUT ROWID");
  const auto put = [&](const std::string& table, const std::string& key, std::uint64_t sequence,
                       const std::string& type) {
    const auto data = "{\"text\":\"" + std::to_string(sequence) + "\"}";
    const troupe::record_row row{sequence, 7, type, 1, data, 0};
    execute(path, "INSERT INTO " + table + " VALUES ('" + key + "', " + std::to_string(sequence) + ", 7, '" + type +
                      "', 1, '" + data + "', " + std::to_string(troupe::checksum_of(key, row)) + ")");
  };
  for (const auto* key : {"b", "a"}) {
    execute(path, "INSERT INTO journals VALUES ('" + std::string{key} + "', 0, " +
                      std::to_string(troupe::checksum_of_head(key, 0)) + ")");
    for (std::uint64_t i = 1; i <= 4; ++i)
      put("events", key, i, "added");
  }
  put("snapshots", "a", 1, "page");
  put("snapshots", "a", 3, "page");
  CHECK(says(message_of([&] { troupe::sqlite_reader{path}; }),
             "is of schema version 1; it can be read once a service has opened it"));
  for (int round = 0; round < 2; ++round) {
    auto store = troupe::open_sqlite_store(path);
    const auto more = round == 0 ? lines{} : lines{"added 5"};
    lines a{"snapshot page 3", "added 4"}, b{"added 1", "added 2", "added 3", "added 4"};
    a.insert(a.end(), more.begin(), more.end());
    b.insert(b.end(), more.begin(), more.end());
    CHECK(kept_under(*store, "a") == a);
    CHECK(kept_under(*store, "b") == b);
    if (round == 0)
      for (const auto* key : {"a", "b"}) {
        auto j = open(*store, key);
        replayed(*j);
        keep_events(*j, added{"5"});
      }
  }
}
