// SPDX-License-Identifier: BSD-3-Clause
// Claim: whatever happens to the disk or the process, what a SQLite store has acknowledged is there afterwards, every append
// whole, and damage is named, never passed over in silence.
// Observed: stores on a SQLite VFS that fails, files that are cut or changed between two openings, children that are killed.
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

#include <charconv>
#include <csignal>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace notes;
using namespace std::chrono_literals;
using support::faulty_vfs;

namespace {

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

lines numbered(int n) {
  lines all;
  for (int i = 0; i < n; ++i)
    all.push_back("removed " + std::to_string(i));
  return all;
}

/// The same, two in each append: what may be there is an even number of them.
void keep_pairs(troupe::journal& j, int pairs) {
  for (int i = 0; i < pairs; ++i)
    keep_events(j, removed{2 * i}, removed{2 * i + 1});
}

} // namespace

TEST_CASE("sqlite store: a disk that fails while a file is made leaves no store without a write-ahead log") {
  for (const auto kind : {faulty_vfs::fault::write, faulty_vfs::fault::sync})
    for (int nth = 1; nth <= 12; ++nth) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(nth);
      const support::temporary_directory folder;
      const auto path = folder / "j.db";
      troupe::sqlite_options o;
      o.vfs = faulty_vfs::name();
      faulty_vfs::fail(kind, nth);
      try {
        const auto store = troupe::open_sqlite_store(path, o);
        troupe::sqlite_connection look{path, troupe::sqlite_connection::mode::look};
        CHECK(look.text_of("PRAGMA journal_mode") == "wal");
      } catch (const troupe::journal_error&) {
        CHECK(faulty_vfs::has_failed());
      }
      faulty_vfs::fail(faulty_vfs::fault::none, 0);
    }
}

TEST_CASE("sqlite store: a failed write or sync fails its appends and all later ones until the file is opened again") {
  for (const auto kind :
       {faulty_vfs::fault::write, faulty_vfs::fault::short_write, faulty_vfs::fault::full, faulty_vfs::fault::sync})
    for (int nth = 1; nth <= 3; ++nth) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(nth);
      support::temporary_directory folder;
      const auto path = folder / "journal.db";
      troupe::sqlite_options o;
      o.vfs = faulty_vfs::name();
      std::size_t acknowledged = 0;
      {
        auto store = troupe::open_sqlite_store(path, o);
        auto j = open(*store, "a");
        keep_pairs(*j, 3);
        faulty_vfs::fail(kind, nth, "-wal");
        const auto failure = message_of([&] {
          for (int i = 3; i < 10; ++i) {
            keep_events(*j, removed{2 * i}, removed{2 * i + 1});
            acknowledged = static_cast<std::size_t>(i) + 1;
          }
        });
        CHECK(faulty_vfs::has_failed());
        CAPTURE(failure);
        CHECK(says(failure, path));
        CHECK(says(failure, kind == faulty_vfs::fault::full ? "full" : "disk I/O error"));
        // Not even another journal, although the disk is well again.
        const auto refusal = message_of([&] { keep_events(*open(*store, "b"), added{"1"}); });
        CHECK(says(refusal, "takes nothing more until it is opened again"));
      }
      auto again = troupe::open_sqlite_store(path, o);
      const auto all = kept_under(*again, "a");
      CHECK(all.size() % 2 == 0);
      CHECK(all.size() >= 2 * acknowledged);
      CHECK(all == numbered(static_cast<int>(all.size())));
      keep_events(*open(*again, "b"), added{"1"});
    }
}

TEST_CASE("sqlite store: a failed sync while the log moves into the file is not swallowed and costs nothing") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  troupe::sqlite_options o;
  o.vfs = faulty_vfs::name();
  o.checkpoint_every = 1;
  {
    auto store = troupe::open_sqlite_store(path, o);
    auto j = open(*store, "a");
    keep_pairs(*j, 1);
    faulty_vfs::fail(faulty_vfs::fault::sync, 1, "journal.db");
    const auto failure = message_of([&] { keep_events(*j, removed{2}, removed{3}); });
    CHECK(says(failure, "checkpoint"));
    CHECK(says(message_of([&] { keep_events(*open(*store, "b"), added{"1"}); }), "takes nothing more"));
  }
  auto again = troupe::open_sqlite_store(path);
  CHECK(kept_under(*again, "a") == numbered(4));
}

TEST_CASE("sqlite store: what a failed sync has left in doubt is shown to nobody until the file is opened again") {
  for (const bool moving : {false, true}) {
    CAPTURE(moving);
    support::temporary_directory folder;
    const auto path = folder / "journal.db";
    troupe::sqlite_options o;
    o.vfs = faulty_vfs::name();
    if (moving)
      o.checkpoint_every = 1;
    {
      auto store = troupe::open_sqlite_store(path, o);
      auto j = open(*store, "a");
      keep_pairs(*j, 1);
      faulty_vfs::fail(faulty_vfs::fault::sync, 1, moving ? "journal.db" : "-wal");
      CHECK(says(message_of([&] { keep_events(*j, removed{2}, removed{3}); }), "disk I/O error"));
      // An actor that began anew here would find its events, and acknowledge them.
      for (int look = 0; look < 2; ++look)
        CHECK(says(message_of([&] { kept_under(*store, "a"); }), "may not be on the disk"));
    }
    auto again = troupe::open_sqlite_store(path);
    CHECK(kept_under(*again, "a") == numbered(4));
  }
}

TEST_CASE("sqlite store: a write that fails leaves what was synced before to be read") {
  support::temporary_directory folder;
  troupe::sqlite_options o;
  o.vfs = faulty_vfs::name();
  auto store = troupe::open_sqlite_store(folder / "journal.db", o);
  auto j = open(*store, "a");
  keep_pairs(*j, 2);
  faulty_vfs::fail(faulty_vfs::fault::full, 1, "-wal");
  CHECK(says(message_of([&] { keep_events(*j, removed{4}, removed{5}); }), "full"));
  CHECK(kept_under(*store, "a") == numbered(4));
}

TEST_CASE("sqlite store: a change that failed is shown as the file shows it when it is opened again") {
  using change = void (*)(troupe::journal&);
  const std::pair<std::string, change> changes[]{
      {"erase", [](troupe::journal& j) { j.erase(); }},
      {"append", [](troupe::journal& j) { keep_events(j, removed{10}, removed{11}); }},
      {"snapshot", [](troupe::journal& j) { j.snapshot(record(page{"10"})); }}, // drops what the one before includes
      {"all dropped",
       [](troupe::journal& j) {
         j.snapshot(record(page{"10"}));
         j.snapshot(record(page{"10"}));
       }},
  };
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  troupe::sqlite_options o;
  o.drop_history = true;
  o.threads = nullptr;
  {
    auto store = troupe::open_sqlite_store(path, o);
    auto j = open(*store, "a");
    replayed(*j);
    keep_pairs(*j, 1);
    j->snapshot(record(page{"2"}));
    keep_events(*j, removed{2}, removed{3}, removed{4});
  }
  const auto file = bytes_of(path); // with the place of the fifth event
  for (const auto& [what, c] : changes)
    for (const std::uint64_t place_every : {1, 1'000})
      for (const auto kind : {faulty_vfs::fault::short_write, faulty_vfs::fault::full, faulty_vfs::fault::sync}) {
        int shown = 0;
        bool struck = true;
        for (int nth = 1; struck; nth *= 2) {
          CAPTURE(what);
          CAPTURE(place_every);
          CAPTURE(static_cast<int>(kind));
          CAPTURE(nth);
          write_bytes(path, file);
          o.place_every = place_every;
          o.vfs = faulty_vfs::name();
          auto store = troupe::open_sqlite_store(path, o);
          auto j = open(*store, "a");
          replayed(*j);
          keep_events(*j, removed{5}, removed{6}, removed{7}, removed{8}, removed{9});
          faulty_vfs::fail(kind, nth, "-wal");
          message_of([&] { c(*j); });
          j.reset();
          struck = faulty_vfs::has_failed();
          faulty_vfs::fail(faulty_vfs::fault::none, 0);
          lines seen;
          const auto refusal = message_of([&] { seen = kept_under(*store, "a"); });
          store.reset();
          o.vfs.clear();
          const auto kept = kept_under(*troupe::open_sqlite_store(path, o), "a");
          if (says(refusal, "nothing was thrown")) {
            ++shown;
            CHECK(seen == kept);
          } else {
            CHECK(kind == faulty_vfs::fault::sync);
            CHECK(says(refusal, "shows nothing"));
          }
        }
        CHECK(shown > (kind == faulty_vfs::fault::sync ? 0 : 1));
      }
}

TEST_CASE("sqlite store: a commit that failed when it was in the log already is shown to nobody") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  troupe::sqlite_options o;
  o.threads = nullptr;
  {
    o.vfs = faulty_vfs::name();
    auto store = troupe::open_sqlite_store(path, o);
    auto j = open(*store, "a");
    keep_events(*j, added{"1"});
    faulty_vfs::fail(faulty_vfs::fault::index, 1);
    constexpr std::size_t beyond_the_index = 20'000'000; // one part of it is of 4096 pages
    CHECK(says(message_of([&] { keep_events(*j, added{std::string(beyond_the_index, 'x')}); }), "disk I/O error"));
    CHECK(faulty_vfs::has_failed());
    CHECK(says(message_of([&] { kept_under(*store, "a"); }), "shows nothing"));
  }
  CHECK(kept_under(*troupe::open_sqlite_store(path), "a").size() == 2);
}

TEST_CASE("sqlite store: a disk that fills up fails appends and loses nothing that was acknowledged") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  int result[2];
  REQUIRE(::pipe(result) == 0);
  const auto child = ::fork();
  if (child == 0) {
    const rlimit limit{400'000, 400'000}; // bytes in one file
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
    int kept = 0;
    const auto failure = message_of([&] {
      auto store = troupe::open_sqlite_store(path);
      auto j = open(*store, "a");
      for (; kept < 1'000; ++kept)
        keep_events(*j, added{std::string(1'000, 'x')});
    });
    const auto text = std::to_string(kept) + ' ' + failure;
    [[maybe_unused]] const auto n = ::write(result[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(result[1]);
  std::string text(2'000, ' ');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(result[0], text.data(), text.size()))));
  ::close(result[0]);
  ::waitpid(child, nullptr, 0);
  CAPTURE(text);
  std::size_t acknowledged = 0;
  std::from_chars(text.data(), text.data() + text.size(), acknowledged);
  CHECK(acknowledged > 10);
  CHECK(acknowledged < 1'000);
  CHECK(says(text, path));
  auto again = troupe::open_sqlite_store(path);
  CHECK(kept_under(*again, "a").size() >= acknowledged);
}

TEST_CASE("sqlite store: a log that was torn anywhere leaves whole appends in order") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  const auto crashed = folder / "crashed.db";
  std::string file;
  std::string log;
  {
    auto store = troupe::open_sqlite_store(path);
    keep_pairs(*open(*store, "a"), 20);
    file = bytes_of(path);
    log = bytes_of(path + "-wal");
  }
  REQUIRE(log.size() > 10'000);
  std::mt19937 dice{1};
  std::size_t most = 0;
  std::size_t least = 1'000;
  for (int i = 0; i < 40; ++i) {
    const auto cut = i == 0 ? log.size() : dice() % log.size();
    CAPTURE(cut);
    write_bytes(crashed, file);
    write_bytes(crashed + "-wal", log.substr(0, cut));
    auto store = troupe::open_sqlite_store(crashed);
    const auto all = kept_under(*store, "a");
    CHECK(all.size() % 2 == 0);
    CHECK(all == numbered(static_cast<int>(all.size())));
    most = std::max(most, all.size());
    least = std::min(least, all.size());
  }
  CHECK(most == 40);
  CHECK(least < 10);
}

TEST_CASE("sqlite store: what a process acknowledged before it was killed is kept") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  lines all;
  int next = 0;
  for (int round = 0; round < 5; ++round) {
    int said[2];
    REQUIRE(::pipe(said) == 0);
    const auto child = ::fork();
    if (child == 0) {
      message_of([&] {
        auto store = troupe::open_sqlite_store(path);
        auto j = open(*store, "a");
        for (int i = next / 2;; ++i) {
          keep_events(*j, removed{2 * i}, removed{2 * i + 1});
          [[maybe_unused]] const auto n = ::write(said[1], "k", 1);
        }
      });
      ::_exit(1);
    }
    ::close(said[1]);
    std::size_t acknowledged = 0;
    char byte = 0;
    for (; acknowledged < 5 + static_cast<std::size_t>(round) && ::read(said[0], &byte, 1) == 1;)
      ++acknowledged;
    ::kill(child, SIGKILL);
    while (::read(said[0], &byte, 1) == 1)
      ++acknowledged;
    ::close(said[0]);
    ::waitpid(child, nullptr, 0);
    const auto before = static_cast<std::size_t>(next);
    auto store = troupe::open_sqlite_store(path); // the lock has gone with its holder
    all = kept_under(*store, "a");
    CHECK(all.size() >= before + 2 * acknowledged);
    CHECK(all.size() <= before + 2 * acknowledged + 2);
    CHECK(all.size() % 2 == 0);
    CHECK(all == numbered(static_cast<int>(all.size())));
    next = static_cast<int>(all.size());
  }
}

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
