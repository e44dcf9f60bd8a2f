// SPDX-License-Identifier: BSD-3-Clause
// Claim: damage in a SQLite journal is found and named, and never passed over in silence; a snapshot that cannot be read is
// replaced by what is before it.
// Observed: files that are changed between two openings.
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_store.hpp>

#include "runtime/journal/notes.hpp"
#include "runtime/journal/sqlite_files.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace notes;

TEST_CASE("sqlite store: a flipped bit in an event is found and named") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  {
    auto store = troupe::open_sqlite_store(path);
    keep_events(*open(*store, "stock/1"), added{"first"}, added{"second"}, added{"third"});
  }
  auto bytes = bytes_of(path);
  const auto at = bytes.find("second");
  REQUIRE(at != std::string::npos);
  bytes[at + 2] ^= 1;
  write_bytes(path, bytes);
  auto store = troupe::open_sqlite_store(path);
  CHECK(message_of([&] { kept_under(*store, "stock/1"); }) ==
        "journal 'stock/1' in " + path + ", event 2, type 'added' version 1: its checksum is wrong: it was damaged");
}

TEST_CASE("sqlite store: every field of every row is under a checksum") {
  const char* changes[] = {
      "UPDATE events SET time = time + 1 WHERE sequence = 2",
      "UPDATE events SET type = 'removed' WHERE sequence = 2",
      "UPDATE events SET version = 0 WHERE sequence = 2",
      "UPDATE events SET journal = 'b' WHERE sequence = 1",
      "UPDATE events SET sequence = 9 WHERE sequence = 3",
      "DELETE FROM events WHERE sequence = 1",
      "DELETE FROM events WHERE sequence = 2",
      "DELETE FROM events WHERE sequence = 1; DELETE FROM places",
      "UPDATE journals SET last_sent = 1",
      "UPDATE handled SET sequence = 2",
      "UPDATE handled SET sender = 'd'",
      "UPDATE outbox SET target = 'c'",
      "UPDATE outbox SET due = 5",
      "UPDATE outbox SET due = NULL WHERE sequence = 2",
      "UPDATE outbox SET timer = 'x'",
      "UPDATE outbox SET data = '{\"text\":\"x\"}'",
  };
  for (const auto* sql : changes) {
    CAPTURE(std::string{sql});
    support::temporary_directory folder;
    const auto path = folder / "journal.db";
    {
      auto store = troupe::open_sqlite_store(path);
      auto j = open(*store, "a");
      const letter l{"hello"};
      const troupe::outbound sends[]{{1, "b", record(l), {}, {}},
                                     {2, "a", record(l), troupe::wall_time_point{}, "t"},
                                     {3, "b", record(l), {}, {}}};
      troupe::journal_append a;
      a.handled = troupe::inbound{"c", 1};
      a.sends = sends;
      keep(*j, a);
      keep_events(*j, added{"1"}, added{"2"}, added{"3"});
    }
    execute(path, sql);
    auto store = troupe::open_sqlite_store(path);
    CHECK(says(message_of([&] { kept_under(*store, "a"); }), "journal 'a' in " + path));
  }
}

TEST_CASE("sqlite store: a snapshot that cannot be read gives way to the one before and then to all events") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  const auto write = [&] {
    auto store = troupe::open_sqlite_store(path);
    auto j = open(*store, "a");
    keep_events(*j, added{"1"}, added{"2"});
    j->snapshot(record(page{"12"}));
    keep_events(*j, added{"3"});
    j->snapshot(record(page{"123"}));
    keep_events(*j, added{"4"});
  };
  write();
  std::vector<std::string> reports;
  troupe::sqlite_options o;
  o.report = [&](std::string_view text) { reports.emplace_back(text); };
  execute(path, "UPDATE snapshots SET data = '{\"text\":\"xxx\"}' WHERE sequence = 3");
  {
    auto store = troupe::open_sqlite_store(path, o);
    CHECK(kept_under(*store, "a") == lines{"snapshot page 12", "added 3", "added 4"});
    REQUIRE(reports.size() == 1);
    CHECK(says(reports[0], "snapshot 3, type 'page' version 1"));
    keep_events(*open(*store, "a"), added{"5"});
  }
  execute(path, "UPDATE snapshots SET type = 'gone' WHERE sequence = 2");
  {
    auto store = troupe::open_sqlite_store(path, o);
    CHECK(kept_under(*store, "a") == lines{"added 1", "added 2", "added 3", "added 4", "added 5"});
    CHECK(reports.size() == 3);
  }
  execute(path, "DELETE FROM events WHERE sequence <= 2");
  auto store = troupe::open_sqlite_store(path, o);
  CHECK(says(message_of([&] { kept_under(*store, "a"); }),
             "the events 1 to 2 are missing, and no snapshot that can be read includes them"));
}

TEST_CASE("sqlite store: a new snapshot stands beside the last good one, and bad ones go") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  troupe::sqlite_options o;
  o.drop_history = true;
  {
    auto store = troupe::open_sqlite_store(path, o);
    auto j = open(*store, "a");
    replayed(*j);
    for (int i = 1; i <= 3; ++i) {
      keep_events(*j, removed{i});
      j->snapshot(record(page{std::to_string(i)}));
    }
  }
  execute(path, "UPDATE snapshots SET data = '{}' WHERE sequence = 3");
  {
    auto store = troupe::open_sqlite_store(path, o);
    auto j = open(*store, "a");
    CHECK(replayed(*j) == lines{"snapshot page 2", "removed 3"});
    keep_events(*j, removed{4});
    j->snapshot(record(page{"4"}));
  }
  CHECK(troupe::sqlite_connection{path, troupe::sqlite_connection::mode::write}.text_of(
            "SELECT group_concat(sequence) FROM snapshots") == "2,4");
  execute(path, "UPDATE snapshots SET data = '{}' WHERE sequence = 4");
  auto store = troupe::open_sqlite_store(path, o);
  CHECK(kept_under(*store, "a") == lines{"snapshot page 2", "removed 3", "removed 4"});
}

TEST_CASE("sqlite store: history that is not wanted goes, but never what the last two snapshots need") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  troupe::sqlite_options o;
  o.drop_history = true;
  {
    auto store = troupe::open_sqlite_store(path, o);
    auto j = open(*store, "a");
    replayed(*j);
    for (int i = 1; i <= 10; ++i) {
      keep_events(*j, removed{i});
      if (i % 3 == 0)
        j->snapshot(record(page{std::to_string(i)}));
    }
  }
  {
    troupe::sqlite_connection c{path, troupe::sqlite_connection::mode::write};
    CHECK(c.text_of("SELECT group_concat(sequence) FROM events") == "7,8,9,10");
    CHECK(c.text_of("SELECT group_concat(sequence) FROM snapshots") == "6,9");
  }
  execute(path, "UPDATE snapshots SET data = '{}' WHERE sequence = 9");
  auto store = troupe::open_sqlite_store(path, o);
  CHECK(kept_under(*store, "a") == lines{"snapshot page 6", "removed 7", "removed 8", "removed 9", "removed 10"});
}

TEST_CASE("sqlite store: an event whose type is gone or too new is an error that names it, and nothing is skipped") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  {
    auto store = troupe::open_sqlite_store(path);
    keep_events(*open(*store, "a"), added{"1"}, removed{2}, added{"3"});
  }
  static constexpr const troupe::journal_type* fewer[]{&troupe::journal_type_of<added>, &troupe::journal_type_of<page>};
  auto store = troupe::open_sqlite_store(path);
  transcript t;
  CHECK(message_of([&] { store->open("a", fewer)->replay(t); }) ==
        "journal 'a' in " + path + ", event 2, type 'removed' version 1: the actor knows no such type");
  CHECK(t.all == lines{"added 1"});
}
