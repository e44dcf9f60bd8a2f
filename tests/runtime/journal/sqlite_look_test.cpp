// SPDX-License-Identifier: BSD-3-Clause
// Claim: who looks at a SQLite journal sees what was there when the look began, each transaction whole, with its changes in
// their order.
// Observed: looks that begin before, during and after a transaction of the writer.
#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_database.hpp>

#include "runtime/journal/notes.hpp"
#include "runtime/journal/sqlite_files.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace notes;

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
