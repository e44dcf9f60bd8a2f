// SPDX-License-Identifier: BSD-3-Clause
// Claim: in a file that held no journal when it was opened nobody looks for one that has not been begun since, and every
// other is found.
// Observed: what journals replay, and how many statements SQLite is given for it.
#include <troupe/journal/sqlite_store.hpp>

#include "runtime/journal/notes.hpp"
#include "runtime/journal/sqlite_files.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <sqlite3.h>
#include <string>
#include <vector>

using namespace notes;

namespace {

/// Counts the statements of all connections that are made while it is there.
class statement_count {
public:
  statement_count() { sqlite3_auto_extension(entry()); }
  ~statement_count() { sqlite3_cancel_auto_extension(entry()); }
  statement_count(const statement_count&) = delete;
  statement_count& operator=(const statement_count&) = delete;

  template <class F>
  std::uint64_t of(F&& f) const {
    const auto before = all_;
    f();
    return all_ - before;
  }

private:
  static void (*entry())() {
    const auto watch = [](sqlite3* db, char**, const sqlite3_api_routines*) {
      return sqlite3_trace_v2(
          db, SQLITE_TRACE_STMT,
          [](unsigned, void*, void*, void*) {
            ++all_;
            return 0;
          },
          nullptr);
    };
    static const auto e = reinterpret_cast<void (*)()>(+watch); // as SQLite wants it
    return e;
  }
  static inline std::uint64_t all_ = 0;
};

std::shared_ptr<troupe::durable_store> opened(const std::string& path) {
  troupe::sqlite_options o;
  o.threads = nullptr;
  return troupe::open_sqlite_store(path, o);
}

void keep_first_handled(troupe::journal& j) {
  troupe::journal_append a;
  a.handled = troupe::inbound{"s", 1};
  keep(j, a);
}

} // namespace

TEST_CASE(
    "sqlite store: in a file that was empty nobody looks for a journal that was not begun, and others are found") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  const statement_count statements;
  const auto found = [&](troupe::journal_store& store, const std::string& key, const lines& want) {
    CAPTURE(key);
    CHECK(statements.of([&] { CHECK(kept_under(store, key) == want); }) > 0);
  };
  auto store = opened(path);
  keep_events(*open(*store, "a"), added{"1"});
  std::vector<std::shared_ptr<troupe::journal>> held;
  const auto looks = statements.of([&] {
    for (int i = 0; i < 100; ++i) {
      held.push_back(open(*store, "k" + std::to_string(i)));
      CHECK(replayed(*held.back()).empty());
    }
  });
  CHECK(looks == 0);
  CHECK(store->keys() == std::vector<std::string>{"a"});
  found(*store, "a", {"added 1"});
  keep_events(*held[1], added{"2"});
  keep_first_handled(*held[2]);
  held[3]->snapshot(record(page{"3"}));
  keep_events(*held[4], added{"4"});
  held[4]->erase();
  found(*store, "k1", {"added 2"});
  found(*store, "k2", {"handled s 1"});
  found(*store, "k3", {"snapshot page 3"});
  found(*store, "k4", {});
  keep_events(*held[4], added{"5"});
  held.clear();
  found(*store, "k4", {"added 5"});
  copy_as_killed(path, folder / "killed.db");
  store.reset();
  for (const auto* life : {"journal.db", "killed.db"}) {
    store = opened(folder / life);
    CHECK_FALSE(store->database().was_empty());
    found(*store, "a", {"added 1"});
    found(*store, "k1", {"added 2"});
    found(*store, "k2", {"handled s 1"});
    found(*store, "k3", {"snapshot page 3"});
    found(*store, "k4", {"added 5"});
    found(*store, "k5", {});
  }
}

TEST_CASE("sqlite store: a file with a row in any table is not taken for empty") {
  support::temporary_directory folder;
  const auto full = folder / "full.db";
  {
    auto store = opened(full);
    auto j = open(*store, "a");
    keep_events(*j, added{"1"});
    keep_first_handled(*j);
    const letter l{"hello"};
    const troupe::outbound sends[]{{1, "b", record(l), {}, {}}};
    troupe::journal_append a;
    a.sends = sends;
    keep(*j, a);
    j->snapshot(record(page{"1"}));
  }
  const std::vector<std::string> tables{"journals", "places", "events", "snapshots", "handled", "outbox"};
  for (const auto& left : tables) {
    CAPTURE(left);
    const auto path = folder / (left + ".db");
    write_bytes(path, bytes_of(full));
    for (const auto& t : tables)
      if (t != left)
        execute(path, "DELETE FROM " + t);
    CHECK_FALSE(opened(path)->database().was_empty());
    execute(path, "DELETE FROM " + left);
    CHECK(opened(path)->database().was_empty());
  }
}
