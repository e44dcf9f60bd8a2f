// SPDX-License-Identifier: BSD-3-Clause
// Claim: journals on a PostgreSQL server have one writer, and what is wrong with them is found and named.
// Observed: a private server; rows that are changed behind the store's back.
#include <troupe/journal/postgres_reader.hpp>

#include "runtime/journal/kept_postgres.hpp"
#include "runtime/journal/notes.hpp"

#include <doctest/doctest.h>

#include <libpq-fe.h>
#include <string>
#include <unistd.h>

using namespace notes;
using kept::message_of;
using kept::says;

namespace {

void execute(const std::string& url, const std::string& sql) {
  auto* c = PQconnectdb(url.c_str());
  auto* r = PQexec(c, sql.c_str());
  CHECK(PQresultStatus(r) == PGRES_COMMAND_OK);
  PQclear(r);
  PQfinish(c);
}

} // namespace

TEST_CASE("postgres store: a second writer is refused and told who the first is") {
  kept::postgres k;
  keep_events(*open(*k.store, "a"), added{"1"});
  const auto text = message_of([&] { troupe::open_postgres_store(k.url); });
  CAPTURE(text);
  CHECK(says(text, "is in use by troupe journal, process " + std::to_string(::getpid())));
  kept::postgres other; // another schema is another matter
  keep_events(*open(*other.store, "a"), added{"2"});
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"added 1"});
}

TEST_CASE("postgres store: a record too large for one statement is kept whole, whatever its texts hold") {
  kept::postgres k;
  const std::string braces = R"({"a","\\b",NULL} \N 'c' $1 é)";
  const std::string large(3'000'000, 'x');
  keep_events(*open(*k.store, braces), added{braces}, added{large}, added{""}, added{large}, added{"last"});
  k.reopen();
  CHECK(kept_under(*k.store, braces) ==
        lines{"added " + braces, "added " + large, "added ", "added " + large, "added last"});
}

TEST_CASE("postgres store: damage is found and named") {
  kept::postgres k;
  keep_events(*open(*k.store, "a"), added{"one"}, added{"two"}, added{"three"});
  execute(k.url, R"(UPDATE events SET data = '{"text":"zwo"}' WHERE sequence = 2)");
  const auto text = message_of([&] { kept_under(*k.store, "a"); });
  CAPTURE(text);
  CHECK(says(text, "journal 'a' in postgresql://troupe@"));
  CHECK(says(text, "event 2, type 'added' version 1: its checksum is wrong"));
}

TEST_CASE("postgres store: a journal that has lost its row in journals shows what it holds, and goes on") {
  kept::postgres k;
  keep_events(*open(*k.store, "a"), added{"1"}, added{"2"});
  execute(k.url, "DELETE FROM journals WHERE key = 'a'");
  k.reopen();
  const auto j = open(*k.store, "a");
  CHECK(replayed(*j) == lines{"added 1", "added 2"});
  keep_events(*j, added{"3"});
  CHECK(kept_under(*k.store, "a") == lines{"added 1", "added 2", "added 3"});
}

TEST_CASE("postgres store: what troupe-journal asks of a store is answered as by SQLite") {
  kept::postgres k;
  {
    auto j = open(*k.store, "a");
    keep_events(*j, added{"1"}, added{"2"});
    j->snapshot(record(page{"12"}));
    const letter l{"hello"};
    const troupe::outbound sends[]{{1, "b", record(l), {}, {}}};
    troupe::journal_append sending;
    sending.sends = sends;
    keep(*j, sending);
    keep_events(*open(*k.store, "b"), added{"1"});
  }
  troupe::postgres_reader r{k.url};
  const auto all = r.summaries("");
  REQUIRE(all.size() == 2);
  CHECK(all[0].key == "a");
  CHECK(all[0].events == 2);
  CHECK(all[0].snapshots == 1);
  CHECK(all[0].bytes == 12 + 12 + 13);
  CHECK(all[0].unsettled == 1);
  CHECK(all[0].last_time > 0);
  CHECK(all[1].unsettled == 0);
  CHECK(r.summaries("b").size() == 1);
  CHECK(r.damage().empty());
  execute(k.url, "DELETE FROM journals WHERE key = 'b'");
  CHECK(r.damage() == lines{"journal 'b' has rows in events but none in journals"});
}

TEST_CASE("postgres store: a later schema version is refused") {
  kept::postgres k;
  k.store.reset();
  execute(k.url, "UPDATE meta SET value = '99' WHERE name = 'schema_version'");
  CHECK(says(message_of([&] { troupe::open_postgres_store(k.url); }), "is of schema version 99"));
}

TEST_CASE("postgres store: an address that is none is refused without its password") {
  CHECK(says(message_of([] { troupe::open_postgres_store("postgresql://[broken"); }), "address is wrong"));
  const auto text =
      message_of([] { troupe::open_postgres_store("postgresql://me:secret@127.0.0.1:1/shop?connect_timeout=2"); });
  CHECK(says(text, "postgresql://me@127.0.0.1:1/shop"));
  CHECK_FALSE(says(text, "secret"));
}
