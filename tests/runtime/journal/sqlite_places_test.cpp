// SPDX-License-Identifier: BSD-3-Clause
// Claim: a SQLite store finds every journal's rows wherever they lie, though the table of places is damaged or behind, and
// however its process ended.
// Observed: what journals replay from files that were changed, or copied as a kill would leave them.
#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_database.hpp>
#include <troupe/journal/sqlite_store.hpp>

#include "runtime/journal/notes.hpp"
#include "runtime/journal/sqlite_files.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace notes;

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
    all.push_back({"k" + std::to_string(i)});
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
