// SPDX-License-Identifier: BSD-3-Clause
// Claim: the work for finding a journal's rows in a SQLite file grows with its rows, not with those of others nor with the
// number of journals, however the process before has ended.
// Observed: how many steps SQLite's machine takes for it.
#include <troupe/journal/sqlite_store.hpp>

#include "runtime/journal/notes.hpp"
#include "runtime/journal/sqlite_files.hpp"
#include "support/faulty_vfs.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <sqlite3.h>
#include <string>
#include <vector>

using namespace notes;

namespace {

std::uint64_t steps = 0; // of all connections that were made while `counted` was under way

/// What `f` costs in steps of SQLite's machine, to the nearest ten for each statement.
template <class F>
std::uint64_t counted(F&& f) {
  const auto watch = [](sqlite3* db, char**, const sqlite3_api_routines*) {
    sqlite3_progress_handler(
        db, 10,
        [](void*) {
          steps += 10;
          return 0;
        },
        nullptr);
    return SQLITE_OK;
  };
  const auto entry = reinterpret_cast<void (*)()>(+watch); // as SQLite wants it
  steps = 0;
  sqlite3_auto_extension(entry);
  f();
  sqlite3_cancel_auto_extension(entry);
  return steps;
}

std::string key_of(int i) { return "k" + std::to_string(i); }

void keep_many(troupe::journal& j, int n) {
  const added one{"x"};
  const std::vector<troupe::journal_record> all(static_cast<std::size_t>(n), record(one));
  troupe::journal_append a;
  a.events = all;
  keep(j, a);
}

void keep_sent(troupe::journal& j) {
  const letter l{"hello"};
  const troupe::outbound sends[]{{1, "b", record(l), {}, {}}};
  troupe::journal_append a;
  a.sends = sends;
  keep(j, a);
}

} // namespace

TEST_CASE("sqlite store: after a kill each row is looked at once, however many journals there are") {
  static constexpr int each = 20;
  const auto cost_of = [](int journals) {
    support::temporary_directory folder;
    {
      auto store = troupe::open_sqlite_store(folder / "live.db", alone());
      for (int i = 0; i < each; i += 10)
        for (int k = 0; k < journals; ++k) {
          auto j = open(*store, key_of(k));
          const auto n = [i](int m) { return removed{i + m}; };
          keep_events(*j, n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7), n(8), n(9));
        }
      copy_as_killed(folder / "live.db", folder / "killed.db");
    }
    return counted([&] {
      auto store = troupe::open_sqlite_store(folder / "killed.db", alone());
      for (int k = 0; k < journals; ++k)
        REQUIRE(kept_under(*store, key_of(k)).size() == each);
    });
  };
  const auto few = cost_of(10);
  const auto many = cost_of(200);
  CAPTURE(few);
  CAPTURE(many);
  CHECK(few >= 10 * each);
  CHECK(many <= 30 * few); // 20 times the rows; 400 times the pairs of a row and a journal
}

TEST_CASE("sqlite store: a journal that has sent nothing is listed and found before its place is written down") {
  support::temporary_directory folder;
  const auto killed = folder / "killed.db";
  {
    auto store = troupe::open_sqlite_store(folder / "live.db", alone());
    keep_events(*open(*store, "a"), added{"1"});
    auto b = open(*store, "b");
    keep_events(*b, added{"1"});
    b->erase();
    CHECK(store->keys() == std::vector<std::string>{"a"});
    copy_as_killed(folder / "live.db", killed);
  }
  auto store = troupe::open_sqlite_store(killed, alone(1)); // writes places down at once
  CHECK(store->keys() == std::vector<std::string>{"a"});
  keep_events(*open(*store, "b"), added{"2"});
  keep_events(*open(*store, "a"), added{"2"});
  CHECK(store->keys() == std::vector<std::string>{"a", "b"});
  CHECK(kept_under(*store, "a") == lines{"added 1", "added 2"});
  CHECK(kept_under(*store, "b") == lines{"added 2"});
}

TEST_CASE("sqlite store: for a journal without events and snapshots no rows are looked at, however its process ended") {
  constexpr int rows = 5'000;
  static constexpr std::uint64_t few = 1'500; // steps; one look at each row is many more
  const lines handled{"handled s 1"};
  const lines sent{"1 to b: letter hello"};
  const auto shown = [](troupe::journal_store& store, const std::string& key) { // numbers of erased ones stay in mind
    auto all = kept_under(store, key);
    std::erase(all, "last sent 1");
    return all;
  };
  const auto with_event = [](const lines& l) {
    lines all{"added 1"};
    all.insert(all.end(), l.begin(), l.end());
    return all;
  };
  const auto cheap = [](const std::string& what, auto&& f) {
    CAPTURE(what);
    steps = 0;
    f();
    CHECK(steps > 0);
    CHECK(steps < few);
  };
  const auto look = [&](troupe::journal_store& store, const std::string& life) {
    CAPTURE(life);
    for (const auto& [key, want] : {std::pair{"handled/" + life, handled}, std::pair{"sent/" + life, sent}}) {
      CAPTURE(key);
      cheap("replay", [&] { CHECK(shown(store, key) == want); });
      auto j = open(store, key);
      cheap("first event", [&] { keep_events(*j, added{"1"}); });
      cheap("replay with an event", [&] { CHECK(shown(store, key) == with_event(want)); });
      j->erase();
      cheap("begun again", [&] { keep_handled(*j, 1); });
      cheap("replay again", [&] { CHECK(shown(store, key) == handled); });
    }
  };
  for (const std::uint64_t place_every : {1, 100'000}) { // places are written down all the time, or not at all
    CAPTURE(place_every);
    support::temporary_directory folder;
    counted([&] {
      auto store = troupe::open_sqlite_store(folder / "live.db", alone(place_every));
      keep_many(*open(*store, "busy"), rows);
      for (const std::string life : {"same", "killed", "killed twice", "reopened"}) {
        keep_handled(*open(*store, "handled/" + life), 1);
        keep_sent(*open(*store, "sent/" + life));
      }
      look(*store, "same");
      copy_as_killed(folder / "live.db", folder / "killed.db");
      store.reset();
      store = troupe::open_sqlite_store(folder / "live.db", alone(place_every));
      look(*store, "reopened");
      store = troupe::open_sqlite_store(folder / "killed.db", alone(place_every));
      look(*store, "killed");
      copy_as_killed(folder / "killed.db", folder / "twice.db");
      store = troupe::open_sqlite_store(folder / "twice.db", alone(place_every));
      look(*store, "killed twice");
    });
  }
}

TEST_CASE("sqlite store: a journal without rows and place, as an earlier version left it, is searched until its next "
          "record") {
  constexpr int rows = 5'000;
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  {
    auto store = troupe::open_sqlite_store(path, alone());
    keep_many(*open(*store, "busy"), rows);
    keep_handled(*open(*store, "a"), 1);
  }
  execute(path, "DELETE FROM places WHERE event = 0 AND snapshot = 0");
  counted([&] {
    auto store = troupe::open_sqlite_store(path, alone());
    steps = 0;
    CHECK(kept_under(*store, "a") == lines{"handled s 1"});
    CHECK(steps > rows);
    CHECK(steps < 8 * rows); // once for all that a replay asks for
    auto j = open(*store, "a");
    keep_handled(*j, 2);
    steps = 0;
    CHECK(kept_under(*store, "a") == lines{"handled s 2"});
    CHECK(steps < rows);
    j.reset();
    store.reset();
    store = troupe::open_sqlite_store(path, alone());
    steps = 0;
    CHECK(kept_under(*store, "a") == lines{"handled s 2"});
    keep_events(*open(*store, "a"), added{"1"});
    CHECK(kept_under(*store, "a") == lines{"added 1", "handled s 2"});
    CHECK(steps < rows);
  });
}

TEST_CASE("sqlite store: after an append that failed no rows are searched") {
  constexpr int rows = 5'000;
  support::temporary_directory folder;
  counted([&] {
    auto o = alone();
    o.vfs = support::faulty_vfs::name();
    auto store = troupe::open_sqlite_store(folder / "journal.db", o);
    keep_many(*open(*store, "busy"), rows);
    auto j = open(*store, "a");
    keep_events(*j, added{"1"});
    support::faulty_vfs::fail(support::faulty_vfs::fault::full, 1, "-wal");
    CHECK_THROWS_AS(keep_events(*j, added{"2"}), troupe::journal_error);
    steps = 0;
    CHECK(kept_under(*store, "a") == lines{"added 1"});
    CHECK(steps < rows);
  });
}

TEST_CASE("sqlite store: events that lie together are read as one piece, and a hole among them is named") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  constexpr int events = 400; // more than are looked up one by one
  lines want;
  {
    auto store = troupe::open_sqlite_store(path, alone());
    auto together = open(*store, "together");
    for (int i = 0; i < events; ++i) {
      keep_events(*together, removed{i});
      want.push_back("removed " + std::to_string(i));
    }
    auto apart = open(*store, "apart");
    auto between = open(*store, "between");
    for (int i = 0; i < events; ++i) {
      keep_events(*apart, removed{i});
      keep_events(*between, removed{i});
    }
  }
  const auto replay = [&](const char* key) {
    auto store = troupe::open_sqlite_store(path, alone());
    CHECK(kept_under(*store, key) == want);
  };
  const auto one_piece = counted([&] { replay("together"); });
  const auto pieces = counted([&] { replay("apart"); });
  CAPTURE(one_piece);
  CAPTURE(pieces);
  CHECK(one_piece < pieces);
  execute(path, "DELETE FROM events WHERE journal = 'together' AND sequence = 100");
  auto store = troupe::open_sqlite_store(path, alone());
  CHECK_THROWS_WITH_AS(kept_under(*store, "together"), doctest::Contains("the events 100 to 100 are missing"),
                       troupe::journal_error);
}
