// SPDX-License-Identifier: BSD-3-Clause
// Claim: whatever a PostgreSQL server is set to, also while a store is open, what is acknowledged is on its disk and no limit
// meant for others ends a session; a database that cannot hold every text is refused.
// Observed: a private server whose settings are changed; what sessions say of their own.
#include <troupe/journal/postgres_reader.hpp>
#include <troupe/journal/postgres_session.hpp>

#include "runtime/journal/kept_postgres.hpp"
#include "runtime/journal/notes.hpp"
#include "support/eventually.hpp"

#include <doctest/doctest.h>

#include <libpq-fe.h>
#include <string>

using namespace notes;
using namespace std::chrono_literals;
using kept::message_of;
using kept::says;
using support::eventually;

namespace {

void execute(const std::string& url, const std::string& sql) {
  auto* c = PQconnectdb(url.c_str());
  auto* r = PQexec(c, sql.c_str());
  CAPTURE(PQerrorMessage(c));
  CHECK(PQresultStatus(r) == PGRES_COMMAND_OK);
  PQclear(r);
  PQfinish(c);
}

void reload(const std::string& url) { troupe::postgres_connection{url}.text_of("SELECT pg_reload_conf()::text"); }

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  return text.replace(text.find(part), part.size(), by);
}

} // namespace

TEST_CASE("postgres store: a server that stops to sync its commits while a store is open changes nothing for it") {
  const auto url = kept::server().url("reloaded");
  troupe::postgres_session s{url, 30s, {}};
  execute(url, "ALTER SYSTEM SET synchronous_commit = off");
  execute(url, "ALTER SYSTEM SET work_mem = '5MB'");
  reload(url);
  CHECK(eventually([&] { return s.connection().text_of("SHOW work_mem") == "5MB"; })); // it has heard of both
  CHECK(s.connection().text_of("SHOW synchronous_commit") == "on");
  troupe::postgres_session later{kept::server().url("reloaded_later"), 30s, {}};
  CHECK(later.connection().text_of("SHOW synchronous_commit") == "on");
  execute(url, "ALTER SYSTEM RESET ALL");
  reload(url);
}

TEST_CASE("postgres store: limits that a server sets end neither who reads nor who writes") {
  const auto url = kept::server().url("limited");
  for (const auto* limit : {"statement_timeout", "lock_timeout"}) {
    execute(url, std::string{"ALTER ROLE troupe SET "} + limit + " = '7s'");
    const auto shown = std::string{"SHOW "} + limit;
    troupe::postgres_reader reader{url};
    CHECK(reader.connection().text_of(shown.c_str()) == "0");
    troupe::postgres_session session{url, 30s, {}};
    CHECK(session.connection().text_of(shown.c_str()) == "0");
    execute(url, "ALTER ROLE troupe RESET ALL");
  }
}

TEST_CASE("postgres store: a database whose encoding lacks characters is refused, before they are needed") {
  const auto url = kept::server().url("public");
  execute(url, "CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const auto text = message_of([&] { troupe::open_postgres_store(replaced(url, "/postgres?", "/narrow?")); });
  CAPTURE(text);
  CHECK(says(text, "/narrow"));
  CHECK(says(text, "LATIN1"));
}

TEST_CASE("postgres store: who holds the lock is named, as far as another user may know") {
  const auto url = kept::server().url("guarded");
  const auto store = troupe::open_postgres_store(url);
  execute(url, "CREATE ROLE stranger LOGIN");
  execute(url, "GRANT USAGE ON SCHEMA guarded TO stranger");
  execute(url, "GRANT SELECT ON ALL TABLES IN SCHEMA guarded TO stranger");
  const auto text = message_of([&] { troupe::open_postgres_store(replaced(url, "troupe@", "stranger@")); });
  CAPTURE(text);
  CHECK(says(text, "is in use by troupe journal, process "));
  CHECK(says(text, ", session "));
  CHECK_FALSE(says(text, "the server's machine"));
}

TEST_CASE("postgres store: a patience without an end is one") {
  troupe::postgres_options o;
  o.patience = std::chrono::milliseconds::max();
  o.commit.max_group = 1;
  const auto url = kept::server().url("patient");
  auto store = troupe::open_postgres_store(url, o);
  const auto a = open(*store, "a");
  const auto b = open(*store, "b");
  keep_events(*a, added{"1"});
  keep_events(*b, added{"1"});
  kept::server().crash();
  receipt first;
  receipt second;
  const added two{"2"};
  const troupe::journal_record all[]{record(two)};
  troupe::journal_append append;
  append.events = all;
  a->append(append, first.maker());
  b->append(append, second.maker());
  kept::server().start();
  CHECK(says(message_of([&] { first.wait(); }), "unknown"));
  CHECK(message_of([&] { second.wait(); }) == "nothing was thrown");
  CHECK(kept_under(*store, "b") == lines{"added 1", "added 2"});
}
