// SPDX-License-Identifier: BSD-3-Clause
// Claim: whatever happens to the disk or the process, what a SQLite store has acknowledged is there afterwards, every append
// whole.
// Observed: stores on a SQLite VFS that fails, logs that are cut, children that are killed.
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_store.hpp>

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
      std::vector<std::string> told;
      o.failed = [&](std::string_view why) { told.emplace_back(why); };
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
        REQUIRE(told.size() == 1);
        CHECK(says(told.front(), path));
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
