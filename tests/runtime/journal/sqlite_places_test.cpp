// SPDX-License-Identifier: BSD-3-Clause
// Claim: a SQLite store finds every journal's rows wherever they lie and however its process ended, and the work for that
// grows with the rows, not with rows times journals.
// Observed: what journals replay, and how many steps SQLite's machine takes for it.
#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_database.hpp>
#include <troupe/journal/sqlite_store.hpp>

#include "runtime/journal/notes.hpp"
#include "runtime/journal/sqlite_files.hpp"
#include "support/faulty_vfs.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace notes;

namespace {

troupe::sqlite_options alone(std::uint64_t place_every = 512 * 1024) {
  troupe::sqlite_options o;
  o.place_every = place_every;
  o.threads = nullptr;
  return o;
}

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

void keep_handled(troupe::journal& j, std::uint64_t sequence) {
  troupe::journal_append a;
  a.handled = troupe::inbound{"s", sequence};
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

TEST_CASE("sqlite store: a damaged row of places, or none, costs time and no event") {
  for (const auto* sql :
       {"DELETE FROM places", "UPDATE places SET event = 1", "UPDATE places SET event = 99, checksum = 0",
        "UPDATE events SET previous = 2 WHERE sequence = 2", "UPDATE events SET number = 50 WHERE sequence = 2",
        "UPDATE snapshots SET previous = 77"}) {
    CAPTURE(std::string{sql});
    support::temporary_directory folder;
    const auto path = folder / "journal.db";
    for (int i = 1; i <= 2; ++i) {
      auto store = troupe::open_sqlite_store(path);
      auto j = open(*store, "a");
      if (i == 1) {
        keep_events(*j, added{"1"}, added{"2"}, added{"3"});
        continue;
      }
      CHECK(replayed(*j) == lines{"added 1", "added 2", "added 3"});
      keep_events(*j, added{"4"});
      j->snapshot(record(page{"1234"}));
      keep_events(*j, added{"5"});
      j.reset();
      store.reset();
      execute(path, sql);
      CHECK(kept_under(*troupe::open_sqlite_store(path), "a") == lines{"snapshot page 1234", "added 5"});
    }
  }
}

TEST_CASE(
    "sqlite store: a snapshot without events before the next one is found after a kill without its row of places") {
  for (const auto* sql : {"DELETE FROM places", "UPDATE places SET checksum = checksum + 1"}) {
    CAPTURE(std::string{sql});
    support::temporary_directory folder;
    const auto live = folder / "live.db";
    const auto killed = folder / "killed.db";
    auto o = alone();
    o.drop_history = true;
    {
      auto j = open(*troupe::open_sqlite_store(live, o), "a");
      keep_events(*j, added{"1"}, added{"2"});
      j->snapshot(record(page{"12"}));
      j->snapshot(record(page{"12"}));
    }
    auto store = troupe::open_sqlite_store(live, o);
    keep_events(*open(*store, "a"), added{"3"});
    copy_as_killed(live, killed);
    execute(killed, sql);
    CHECK(kept_under(*troupe::open_sqlite_store(killed, o), "a") == lines{"snapshot page 12", "added 3"});
  }
}

TEST_CASE("sqlite store: no row is missed if it was damaged how far places go, nor in a file that says that once") {
  for (const auto* value : {"'9' || substr(value, 2)", "substr(value, 1, instr(value, ',')) || '9'",
                            "replace(value, ',', '.')", "substr(value, 1, instr(value, ',') - 1)"}) {
    CAPTURE(std::string{value});
    support::temporary_directory folder;
    const auto live = folder / "live.db";
    const auto killed = folder / "killed.db";
    keep_events(*open(*troupe::open_sqlite_store(live, alone()), "a"), added{"1"});
    auto store = troupe::open_sqlite_store(live, alone());
    keep_events(*open(*store, "a"), added{"2"});
    keep_events(*open(*store, "b"), added{"1"});
    copy_as_killed(live, killed);
    execute(killed, "UPDATE meta SET value = " + std::string{value} + " WHERE name = 'placed_to'");
    store = troupe::open_sqlite_store(killed, alone());
    CHECK(kept_under(*store, "a") == lines{"added 1", "added 2"});
    CHECK(store->keys() == std::vector<std::string>{"a", "b"});
  }
}

TEST_CASE("sqlite store: journals are found however many have moved and whenever the process ends") {
  std::mt19937 random{7};
  for (const std::uint64_t place_every : {1, 3, 20, 1'000}) {
    CAPTURE(place_every);
    support::temporary_directory folder;
    auto path = folder / "0.db";
    troupe::sqlite_options o;
    o.place_every = place_every;
    o.threads = nullptr;
    struct state {
      int last = 0;     // event
      int snapshot = 0; // the event that it includes
      std::uint64_t handled = 0;
    };
    std::map<std::string, state> expected;
    for (int life = 1; life <= 8; ++life) {
      auto store = troupe::open_sqlite_store(path, o);
      for (int i = 0; i < 60; ++i) {
        const auto key = "k" + std::to_string(random() % 12);
        auto& [last, snapshot, handled] = expected[key];
        auto j = open(*store, key);
        lines want;
        if (snapshot > 0)
          want.push_back("snapshot page " + std::to_string(snapshot));
        for (int n = snapshot + 1; n <= last; ++n)
          want.push_back("removed " + std::to_string(n));
        if (handled > 0)
          want.push_back("handled s " + std::to_string(handled));
        REQUIRE(replayed(*j) == want);
        const auto what = random() % 12;
        if (what == 0) {
          j->erase();
          last = snapshot = 0;
          handled = 0;
        } else if (what > 9) {
          keep_handled(*j, ++handled);
        } else if (what < 3 && last > 0) {
          snapshot = last;
          j->snapshot(record(page{std::to_string(last)}));
        } else {
          for (auto n = random() % 3; n < 3; ++n)
            keep_events(*j, removed{++last});
        }
      }
      if (life % 2 == 0)
        continue;                                                // closed in good order
      const auto copy = folder / (std::to_string(life) + ".db"); // as a kill would leave it
      copy_as_killed(path, copy);
      path = copy;
    }
  }
}

TEST_CASE("sqlite store: places are written down in order while rows are added, and a kill in between loses none") {
  constexpr std::uint64_t place_every = 16'000;
  constexpr std::size_t journals = 4'000; // more than are sorted at once
  constexpr std::size_t in_commit = 400;
  support::temporary_directory folder;
  const auto live = folder / "live.db";
  const auto killed = folder / "killed.db";
  struct held {
    std::string key;
    std::shared_ptr<troupe::open_journal> open = std::make_shared<troupe::open_journal>();
    std::uint64_t last = 0;
  };
  std::vector<held> all;
  for (std::size_t i = 0; i < journals; ++i)
    all.push_back({key_of(static_cast<int>(i))});
  troupe::sqlite_database::options o;
  o.place_every = place_every;
  troupe::sqlite_database file{live, o};
  troupe::sqlite_connection aside{live, troupe::sqlite_connection::mode::foreign};
  std::mt19937 random{5};
  std::uint64_t rows = 0, most_behind = 0;
  std::size_t placed = 0, most_placed = 0;
  std::set<std::string> moved, leaving; // what the first phase is to write down
  for (int commit = 1; rows < 6 * place_every; ++commit) {
    std::vector<troupe::record_row> events;
    events.reserve(in_commit);
    std::vector<std::unique_ptr<troupe::journal_write>> batch;
    for (std::size_t i = 0; i < in_commit; ++i) {
      auto& j = all[random() % all.size()];
      events.push_back({++j.last, 0, "noted", 1, "{}"});
      batch.push_back(troupe::journal_write::of({.key = j.key, .first = j.last == 1, .events = {&events.back(), 1}}));
      batch.back()->journal = j.open;
      moved.insert(j.key);
    }
    file.write(batch);
    rows += in_commit;
    if (leaving.empty() && rows >= place_every)
      leaving.swap(moved);
    const auto placed_to = aside.text_of("SELECT value FROM meta WHERE name = 'placed_to'");
    most_behind = std::max<std::uint64_t>(most_behind, rows - (placed_to.empty() ? 0 : std::stoull(placed_to)));
    if (placed_to.empty()) {
      std::vector<std::string> in_table;
      troupe::sqlite_statement s{aside, "SELECT journal FROM places ORDER BY journal"};
      while (s.step())
        in_table.emplace_back(s.text(0));
      most_placed = std::max(most_placed, in_table.size() - placed);
      placed = in_table.size();
      REQUIRE(placed <= leaving.size());
      CHECK(std::equal(in_table.begin(), in_table.end(), leaving.begin()));
    }
    if (commit % 17 != 0)
      continue;
    copy_as_killed(live, killed);
    troupe::sqlite_database again{killed, o};
    const auto reader = again.read();
    for (const auto& j : all)
      if (const auto head = reader->head(j.key); j.last != 0)
        REQUIRE((head && head->last_event == j.last));
    const auto keys = again.read()->keys("");
    CHECK(keys.size() ==
          static_cast<std::size_t>(std::ranges::count_if(all, [](const held& j) { return j.last != 0; })));
  }
  CHECK(placed > 0);
  CHECK(most_placed <= 2 * journals * in_commit / (place_every / 2)); // of a commit: as many as its share of the rows
  CHECK(most_behind <= place_every + place_every / 2 + in_commit);
}

TEST_CASE("sqlite store: however many processes are killed one after the other, no more rows have to be looked at") {
  constexpr std::uint64_t place_every = 30;
  for (const int in_life : {1, 4, 14}) { // fewer than it takes to write places down
    CAPTURE(in_life);
    support::temporary_directory folder;
    auto path = folder / "0.db";
    for (int life = 1, last = 0; life <= 60; ++life) {
      auto store = troupe::open_sqlite_store(path, alone(place_every));
      auto j = open(*store, "a");
      for (int i = 0; i < in_life; ++i)
        keep_events(*j, removed{++last});
      const auto copy = folder / (std::to_string(life) + ".db");
      copy_as_killed(path, copy);
      path = copy;
      troupe::sqlite_connection c{path, troupe::sqlite_connection::mode::write};
      const auto unplaced =
          c.text_of("SELECT count(*) FROM events WHERE number > coalesce((SELECT CAST(value AS INTEGER) "
                    "FROM meta WHERE name = 'placed_to'), 0)");
      CHECK(std::stoull(unplaced) <= place_every + place_every / 2 + 1);
    }
  }
}

TEST_CASE("sqlite store: what one transaction adds, drops and erases happens in the order of its changes") {
  for (const bool held_open : {false, true}) {
    CAPTURE(held_open);
    support::temporary_directory folder;
    troupe::sqlite_database file{folder / "live.db", {}};
    const auto row = [](std::string_view key, std::uint64_t sequence, std::string_view data) {
      troupe::record_row r{sequence, 0, "noted", 1, data};
      r.checksum = troupe::checksum_of(key, r);
      return r;
    };
    const auto a = std::make_shared<troupe::open_journal>();
    const auto b = std::make_shared<troupe::open_journal>();
    std::vector<std::unique_ptr<troupe::journal_write>> batch;
    const auto change = [&](const troupe::journal_change& c, const auto& who) {
      batch.push_back(troupe::journal_write::of(c));
      if (held_open)
        batch.back()->journal = who;
    };
    const std::vector old{row("a", 1, "[1]"), row("a", 2, "[2]")};
    const std::vector last{row("a", 3, "[3]")};
    const std::vector kept{row("b", 1, "[1]"), row("b", 2, "[2]"), row("b", 3, "[3]")};
    const std::vector fresh{row("a", 1, "[10]")};
    change({.key = "a", .first = true, .events = old}, a);
    change({.key = "b", .first = true, .events = kept}, b);
    change({.key = "b", .snapshot = row("b", 3, "{}"), .drop_events_to = 2}, b);
    change({.key = "a", .events = last}, a);
    change({.key = "a", .erase = true}, a);
    change({.key = "a", .first = true, .events = fresh}, a);
    file.write(batch);

    const auto events_of = [&](const std::string& key) {
      std::vector<std::pair<std::uint64_t, std::string>> found;
      file.read()->events(key, 0, [&](const troupe::record_row& r) {
        CHECK(troupe::checksum_of(key, r) == r.checksum);
        found.emplace_back(r.sequence, r.data);
        return true;
      });
      return found;
    };
    using all = std::vector<std::pair<std::uint64_t, std::string>>;
    CHECK(events_of("a") == all{{1, "[10]"}});
    CHECK(events_of("b") == all{{3, "[3]"}});
    for (const auto& journal : file.read()->summaries("")) // nothing is there that nobody finds
      CHECK(journal.events == 1);
  }
}

namespace {

/// Calls `seen` whenever a statement of the first connection that is made from now on begins or ends: in between, a transaction
/// of the writer is under way.
class watched_writer {
public:
  explicit watched_writer(std::function<void(bool ends, std::string_view sql)> seen) {
    seen_ = std::move(seen);
    sqlite3_auto_extension(entry());
  }
  ~watched_writer() {
    sqlite3_cancel_auto_extension(entry());
    seen_ = nullptr;
  }
  watched_writer(const watched_writer&) = delete;
  watched_writer& operator=(const watched_writer&) = delete;

private:
  static void (*entry())() {
    const auto watch = [](sqlite3* db, char**, const sqlite3_api_routines*) {
      sqlite3_cancel_auto_extension(entry());
      return sqlite3_trace_v2(db, SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE, &traced, nullptr);
    };
    static const auto e = reinterpret_cast<void (*)()>(+watch);
    return e;
  }
  static int traced(unsigned what, void*, void* statement, void*) {
    if (seen_)
      seen_(what == SQLITE_TRACE_PROFILE, sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
    return 0;
  }
  static inline std::function<void(bool, std::string_view)> seen_;
};

/// What a look shows of the journal `key`.
std::string shown(troupe::journal_reader& r, const std::string& key) {
  std::string text;
  if (const auto head = r.head(key))
    text = "to " + std::to_string(head->last_event) + ':';
  const auto add = [&](const char* kind, std::uint64_t n) {
    text += ' ';
    text += kind + std::to_string(n);
    return true;
  };
  r.snapshots(key, [&](const troupe::record_row& row) { return add("s", row.sequence); });
  r.events(key, 0, [&](const troupe::record_row& row) { return add("e", row.sequence); });
  r.handled(key, [&](const troupe::handled_row& row) { return add("h", row.sequence); });
  return text;
}

} // namespace

TEST_CASE("sqlite store: whoever looks while a transaction is under way sees all of it or nothing") {
  for (const std::uint64_t place_every : {1, 2, 1'000}) {
    CAPTURE(place_every);
    support::temporary_directory folder;
    std::unique_ptr<troupe::sqlite_database> file;
    std::vector<std::shared_ptr<troupe::journal_reader>> begun; // at each step
    std::string before, after;
    bool committed = false;
    int looks = 0;
    bool looking = false;
    const auto shows_one = [&](troupe::journal_reader& r) {
      const auto late = shown(r, "a");
      if (late != before)
        CHECK(late == after);
    };
    const auto look = [&](bool ends, std::string_view sql) {
      if (looking)
        return;
      looking = true;
      committed = committed || (ends && sql == "COMMIT");
      const auto now = shown(*file->read(), "a");
      CHECK(now == (committed ? after : before));
      if (looks % 2 == 1)
        shows_one(*begun.back());
      begun.push_back(file->read());
      ++looks;
      looking = false;
    };
    const auto row = [](std::uint64_t sequence) {
      troupe::record_row r{sequence, 0, "noted", 1, "{}"};
      r.checksum = troupe::checksum_of("a", r);
      return r;
    };
    const std::vector one{row(1)}, two{row(1), row(2)}, third{row(3)}, more{row(4), row(5)};
    using batch = std::vector<troupe::journal_change>;
    const troupe::handled_row h1{"s", 1, 0}, h2{"s", 2, 0};
    const std::pair<batch, std::string> steps_of_life[]{
        {{{.key = "a", .last_sent = 0, .first = true, .handled = h1}}, "to 0: h1"},
        {{{.key = "a", .events = two}}, "to 2: e1 e2 h1"},
        {{{.key = "a", .events = third}}, "to 3: e1 e2 e3 h1"},
        {{{.key = "a", .snapshot = row(3)}}, "to 3: s3 e1 e2 e3 h1"},
        {{{.key = "a", .events = more, .handled = h2}}, "to 5: s3 e1 e2 e3 e4 e5 h2"},
        {{{.key = "a", .snapshot = row(5), .other_snapshot = 3, .drop_events_to = 3}}, "to 5: s5 s3 e4 e5 h2"},
        {{{.key = "a", .drop_events_to = 5}}, "to 5: s5 s3 h2"},
        {{{.key = "a", .erase = true}}, ""},
        {{{.key = "a", .last_sent = 0, .first = true, .events = two}}, "to 2: e1 e2"},
        {{{.key = "a", .events = third}, {.key = "a", .erase = true}}, ""},
        {{{.key = "a", .last_sent = 0, .first = true, .handled = h1}}, "to 0: h1"},
        {{{.key = "a", .events = two}, {.key = "a", .events = third}}, "to 3: e1 e2 e3 h1"},
        {{{.key = "a", .erase = true}, {.key = "a", .last_sent = 0, .first = true, .events = one}}, "to 1: e1"},
        {{{.key = "a", .snapshot = row(1), .drop_events_to = 1}, {.key = "a", .events = {}}}, "to 1: s1"},
        {{{.key = "a", .erase = true}, {.key = "a", .last_sent = 0, .first = true, .handled = h2}}, "to 0: h2"},
    };
    const watched_writer watch{[&](bool ends, std::string_view sql) {
      if (file != nullptr)
        look(ends, sql);
    }};
    troupe::sqlite_database::options o;
    o.place_every = place_every;
    file = std::make_unique<troupe::sqlite_database>(folder / "live.db", o);
    const auto a = std::make_shared<troupe::open_journal>();
    for (const auto& [changes, outcome] : steps_of_life) {
      CAPTURE(outcome);
      std::vector<std::unique_ptr<troupe::journal_write>> writes;
      for (const auto& c : changes) {
        writes.push_back(troupe::journal_write::of(c));
        writes.back()->journal = a;
      }
      after = outcome;
      committed = false;
      looks = 0;
      file->write(writes);
      CHECK(looks > 4);
      for (const auto& r : begun)
        shows_one(*r);
      begun.clear();
      before = after;
    }
    file.reset();
  }
}

TEST_CASE("sqlite store: a look shows what there was when it began") {
  support::temporary_directory folder;
  troupe::sqlite_database file{folder / "live.db", {}};
  const auto append = [&](std::uint64_t sequence) {
    troupe::record_row r{sequence, 0, "noted", 1, "{}"};
    std::vector<std::unique_ptr<troupe::journal_write>> one;
    one.push_back(troupe::journal_write::of({.key = "a", .first = sequence == 1, .events = {&r, 1}}));
    file.write(one);
  };
  append(1);
  const auto begun = file.read();
  append(2);
  CHECK(shown(*begun, "a") == "to 1: e1");
  append(3);
  CHECK(shown(*begun, "a") == "to 1: e1");
  CHECK(shown(*file.read(), "a") == "to 3: e1 e2 e3");
}
