// SPDX-License-Identifier: BSD-3-Clause
// Claim: troupe-journal shows what a store holds, finds damage and names its place, drops only what no replay needs, and
// refuses what it cannot do.
// Observed: the program's output and exit status over files that the tests write.
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/testing/manual_clock.hpp>

#include "runtime/journal/notes.hpp"
#include "support/program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace notes;

using support::outcome, support::says;

namespace {

outcome run(const std::string& arguments) { return support::run_program(TROUPE_JOURNAL " " + arguments); }

/// A file with three journals; the clock stands at 2026-01-01 00:00 UTC.
struct shop {
  support::temporary_directory folder;
  std::string path = folder / "shop.db";

  shop() {
    troupe::sqlite_options o;
    o.clock = std::make_shared<troupe::manual_clock>();
    auto store = troupe::open_sqlite_store(path, o);
    auto a = open(*store, "stock/1");
    for (int i = 1; i <= 7; ++i) {
      keep_events(*a, added{std::to_string(i)});
      if (i % 2 == 0)
        a->snapshot(record(page{std::to_string(i)}));
    }
    const letter l{"hello"};
    const troupe::outbound sends[]{{1, "stock/1", record(l), {}, {}},
                                   {2, "order/9", record(l), troupe::manual_clock::wall_start, "tea"}};
    troupe::journal_append b;
    b.handled = troupe::inbound{"customer/3", 12};
    b.sends = sends;
    keep(*open(*store, "order/9"), b);
    keep_events(*open(*store, "stock/2"), added{"1"});
  }

  void execute(const char* sql) const {
    troupe::sqlite_connection c{path, troupe::sqlite_connection::mode::write};
    c.execute(sql);
  }
};

} // namespace

TEST_CASE("troupe-journal: list gives each journal its line and all their sum") {
  const shop s;
  const auto all = run("list " + s.path);
  CAPTURE(all.output);
  CHECK(all.status == 0);
  CHECK(all.output == "key         events snapshots        bytes unsettled  last event\n"
                      "order/9          0         0            0         2  -\n"
                      "stock/1          7         2          108         0  2026-01-01 00:00:00.000000Z\n"
                      "stock/2          1         0           12         0  2026-01-01 00:00:00.000000Z\n"
                      "3 journals\n"
                      "sum              8         2          120         2  2026-01-01 00:00:00.000000Z\n");
  CHECK(says(run("list --prefix stock/ " + s.path), "2 journals"));
}

TEST_CASE("troupe-journal: show gives what one journal holds") {
  const shop s;
  const auto stock = run("show " + s.path + " stock/1 --last 2");
  CAPTURE(stock.output);
  CHECK(stock.status == 0);
  CHECK(says(stock, "         6  2026-01-01 00:00:00.000000Z  page v1  {\"text\":\"6\"}\n"));
  CHECK(says(stock, "events after 5\n"));
  CHECK(says(stock, "         7  2026-01-01 00:00:00.000000Z  added v1  {\"text\":\"7\"}\n"));
  CHECK_FALSE(says(stock, "{\"text\":\"5\"}"));
  const auto order = run("show " + s.path + " order/9");
  CAPTURE(order.output);
  CHECK(says(order, "        12  customer/3\n"));
  CHECK(says(order, "the last number used is 2\n"));
  CHECK(says(order, "letter v1  {\"text\":\"hello\"}  to order/9  timer tea  due 2026-01-01 00:00:00.000000Z"));
  const auto nobody = run("show " + s.path + " nobody");
  CHECK(nobody.status == 2);
  CHECK(nobody.output == "troupe-journal: there is no journal 'nobody'\n");
}

TEST_CASE("troupe-journal: verify is content with what is whole, also while the store is open") {
  const shop s;
  auto store = troupe::open_sqlite_store(s.path);
  const auto whole = run("verify " + s.path);
  CHECK(whole.status == 0);
  CHECK(whole.output == "3 journals, 0 faults\n");
}

TEST_CASE("troupe-journal: verify names every place that is damaged") {
  struct row {
    const char* sql;
    const char* line;
  };
  const row rows[] = {
      {"UPDATE events SET data = '{}' WHERE journal = 'stock/1' AND sequence = 3",
       "journal 'stock/1', event 3: its checksum is wrong: it was damaged\n"},
      {"DELETE FROM events WHERE journal = 'stock/1' AND sequence IN (3, 4)",
       "journal 'stock/1', event 5: the events 3 to 4 before it are missing\n"},
      {"DELETE FROM events WHERE journal = 'stock/1' AND sequence > 4",
       "journal 'stock/1', events: 5 to 6 are missing: there is a later snapshot\n"},
      {"UPDATE snapshots SET version = 2 WHERE sequence = 6",
       "journal 'stock/1', snapshot 6: its checksum is wrong: it was damaged\n"},
      {"UPDATE handled SET sequence = 13",
       "journal 'order/9', what was handled of 'customer/3': its checksum is wrong: it was damaged\n"},
      {"UPDATE outbox SET target = 'x' WHERE sequence = 2",
       "journal 'order/9', outbox entry 2: its checksum is wrong: it was damaged\n"},
      {"UPDATE journals SET last_sent = 1 WHERE key = 'order/9'",
       "journal 'order/9', its row in journals: its checksum is wrong: it was damaged\n"},
      {"DELETE FROM journals WHERE key = 'stock/2'", "journal 'stock/2' has rows in events but none in journals\n"},
  };
  for (const auto& r : rows) {
    const shop s;
    s.execute(r.sql);
    const auto found = run("verify " + s.path);
    CAPTURE(found.output);
    CHECK(found.status == 1);
    CHECK(says(found, r.line));
  }
}

TEST_CASE("troupe-journal: compact drops what the last two snapshots include, and a replay sees no difference") {
  const shop s;
  const auto before = run("show " + s.path + " stock/1");
  const auto could = run("compact --dry-run " + s.path);
  CHECK(could.output == "stock/1: 4 events, up to 4\n4 events could be dropped of 1 journal\n");
  CHECK(run("show " + s.path + " stock/1").output == before.output);
  const auto dropped = run("compact " + s.path);
  CHECK(dropped.status == 0);
  CHECK(dropped.output == "stock/1: 4 events, up to 4\n4 events dropped of 1 journal\n");
  CHECK(run("verify " + s.path).status == 0);
  {
    auto store = troupe::open_sqlite_store(s.path);
    CHECK(kept_under(*store, "stock/1") == lines{"snapshot page 6", "added 7"});
    const auto refused = run("compact " + s.path);
    CHECK(refused.status == 2);
    CHECK(says(refused, "is in use by process"));
  }
  CHECK(run("compact " + s.path).output == "0 events dropped of 0 journals\n");
  s.execute("UPDATE snapshots SET data = '{}' WHERE sequence = 6");
  auto store = troupe::open_sqlite_store(s.path);
  CHECK(kept_under(*store, "stock/1") == lines{"snapshot page 4", "added 5", "added 6", "added 7"});
}

TEST_CASE("troupe-journal: export gives one JSON object for each row") {
  const shop s;
  const auto all = run("export " + s.path + " --prefix order/");
  CHECK(all.status == 0);
  CHECK(all.output == R"({"journal":"order/9","kind":"handled","sender":"customer/3","sequence":12})"
                      "\n"
                      R"({"journal":"order/9","kind":"message","sequence":1,"time":"2026-01-01 00:00:00.000000Z",)"
                      R"("type":"letter","version":1,"data":{"text":"hello"},"target":"stock/1"})"
                      "\n"
                      R"({"journal":"order/9","kind":"timer","sequence":2,"time":"2026-01-01 00:00:00.000000Z",)"
                      R"("type":"letter","version":1,"data":{"text":"hello"},"target":"order/9",)"
                      R"("due":"2026-01-01 00:00:00.000000Z","timer":"tea"})"
                      "\n");
  s.execute("UPDATE events SET data = 'x' WHERE journal = 'stock/2'");
  const auto damaged = run("export " + s.path + " --prefix stock/2");
  CHECK(damaged.status == 1);
  CHECK(says(damaged, R"("data":"x","fault":"its checksum is wrong)"));
}

TEST_CASE("troupe-journal: what it cannot do is said, with exit status 2") {
  CHECK(run("--help").status == 0);
  CHECK(says(run("--help"), "troupe-journal verify postgresql://me@db/shop"));
  CHECK(run("").status == 2);
  CHECK(run("list").status == 2);
  CHECK(run("forget shop.db").status == 2);
  CHECK(run("forget shop.db").output == "troupe-journal: there is no command 'forget'; see --help\n");
  CHECK(says(run("show shop.db"), "troupe-journal: key is required"));
  CHECK(says(run("show shop.db key --last 0"), "range 1 "));
  CHECK(says(run("show shop.db key --last -1"), "range 1 "));
  const shop s;
  CHECK(says(run("list " + s.folder.path().string()), "is a directory; name the journals' file in it"));
  const auto missing = run("list /nowhere/shop.db");
  CHECK(missing.status == 2);
  CHECK(missing.output == "troupe-journal: /nowhere/shop.db: there is no such file\n");
  const auto server = run("list 'postgresql://me:secret@127.0.0.1:1/shop?connect_timeout=2'");
  CHECK(server.status == 2);
  CHECK(says(server, "postgresql://me@127.0.0.1:1/shop"));
  CHECK_FALSE(says(server, "secret"));
}

TEST_CASE("troupe-journal: what cannot be written to the end has exit status 2, however little it is") {
  const shop s;
  for (const std::string what : {"list ", "verify ", "export ", "compact --dry-run ", "show --last 1 "}) {
    const auto key = what.starts_with("show") ? " stock/1" : "";
    const auto lost = support::run_program("(" TROUPE_JOURNAL " " + what + s.path + key + " >/dev/full)");
    CAPTURE(what);
    CHECK(lost.status == 2);
    CHECK(says(lost, "No space left on device"));
  }
}
