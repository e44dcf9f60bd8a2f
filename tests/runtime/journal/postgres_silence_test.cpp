// SPDX-License-Identifier: BSD-3-Clause
// Claim: a server that accepts connections, or has done so, and then says nothing is lost after `longest_silence`: opening,
// writing, reading and closing end, and what was on its way is decided as after any loss. What takes long is not cut.
// Observed: a private server behind a relay that falls silent, at once or when a client has sent a certain text; sessions
// whose process is stopped, or waits for a lock.
#include <troupe/error.hpp>
#include <troupe/journal/postgres_database.hpp>
#include <troupe/journal/postgres_reader.hpp>

#include "runtime/journal/held_commits.hpp"
#include "runtime/journal/kept_postgres.hpp"
#include "runtime/journal/notes.hpp"
#include "support/eventually.hpp"
#include "support/relay.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <future>
#include <libpq-fe.h>
#include <memory>
#include <string>
#include <vector>

using namespace notes;
using namespace std::chrono_literals;
using kept::message_of;
using kept::says;
using support::eventually;
using whom = support::relay::whom;

namespace {

// Long enough for statements of a session, on a machine that is busy. To begin one may take such a machine longer.
constexpr auto short_while = 2s;
enum class connecting { at_leisure, in_a_hurry };

/// A store behind a relay, in a schema of its own.
struct relayed {
  explicit relayed(connecting c, std::chrono::milliseconds patience = 0ms)
      : url{relay.by_way(direct) + (c == connecting::at_leisure ? "&connect_timeout=60" : "")} {
    options.longest_silence = short_while;
    options.patience = patience;
    options.commit.max_group = 1;
  }
  /// With all the connections that it needs.
  void open_store() {
    CHECK(eventually([&] {
      return message_of([&] {
               if (store == nullptr)
                 store = troupe::open_postgres_store(url, options);
               store->keys();
             }) == "nothing was thrown";
    }));
  }
  std::string refusal() const {
    return message_of([&] { troupe::open_postgres_store(url, options); });
  }

  support::relay relay{kept::server().socket()};
  std::string direct = kept::server().url("silence_" + std::to_string(++count));
  std::string url;
  troupe::postgres_options options;
  std::shared_ptr<troupe::journal_store> store;
  static inline int count = 0;
};

lines once_replayed(troupe::journal& j) {
  lines all;
  CHECK(eventually([&] { return message_of([&] { all = replayed(j); }) == "nothing was thrown"; }));
  return all;
}

/// An append that is on its way.
struct pending {
  pending(troupe::journal& j, const added& e) {
    const troupe::journal_record all[]{record(e)};
    troupe::journal_append a;
    a.events = all;
    j.append(a, outcome.maker());
  }
  std::string failure() {
    return message_of([&] { outcome.wait(); });
  }
  receipt outcome;
};

/// A session that holds a lock until it goes.
class lock_holder {
public:
  lock_holder(const std::string& url, const std::string& lock) : handle_{PQconnectdb(url.c_str())} {
    PQclear(PQexec(handle_, "BEGIN"));
    auto* r = PQexec(handle_, ("LOCK TABLE " + lock).c_str());
    CHECK(PQresultStatus(r) == PGRES_COMMAND_OK);
    PQclear(r);
  }
  ~lock_holder() { PQfinish(handle_); }
  lock_holder(const lock_holder&) = delete;
  lock_holder& operator=(const lock_holder&) = delete;

  /// The first column of the first row.
  std::string asked(const char* sql) const {
    auto* r = PQexec(handle_, sql);
    std::string text = PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "";
    PQclear(r);
    return text;
  }

private:
  PGconn* const handle_;
};

/// The process of the session that writes the journals of a schema.
int writer_of(const std::string& url) {
  const lock_holder looking{url, "meta IN ACCESS SHARE MODE"};
  return std::stoi(looking.asked("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
                                 "(objid::bigint + 2147483648) % 4294967296 = 'meta'::regclass::oid::bigint"));
}

} // namespace

TEST_CASE("postgres store: a server that accepts and never answers is not opened, and named, in bounded time") {
  relayed r{connecting::in_a_hurry};
  r.options.longest_silence = 200ms;
  r.relay.fall_silent();
  const auto text = r.refusal();
  CAPTURE(text);
  CHECK(says(text, "postgresql://troupe@"));
  CHECK(says(text, "connecting to "));
  CHECK(says(text, "no answer in 200 ms"));
  CHECK(r.relay.accepted() == 1);
}

TEST_CASE("postgres store: of several hosts one that never answers is passed over") {
  relayed silent{connecting::in_a_hurry};
  silent.relay.fall_silent();
  relayed well{connecting::in_a_hurry};
  well.url.insert(well.url.find('@') + 1, silent.relay.host() + ',');
  well.open_store();
  CHECK(silent.relay.accepted() > 0);
  keep_events(*open(*well.store, "a"), added{"1"});
  well.store.reset();
  well.relay.fall_silent();
  well.url += "&connect_timeout=1";
  const auto text = well.refusal();
  CAPTURE(text);
  CHECK(says(text, "no answer in 1 s"));
  CHECK(text.find("connecting to ") != text.rfind("connecting to "));
}

TEST_CASE("postgres store: a server that falls silent while it is being opened is refused, with what it was asked") {
  for (const auto* asked : {"set_config", "CREATE TABLE", "add_events"}) {
    CAPTURE(asked);
    relayed r{connecting::at_leisure};
    r.relay.fall_silent_at(asked, whom::one, true);
    const auto text = r.refusal();
    CAPTURE(text);
    CHECK(says(text, "postgresql://troupe@"));
    CHECK(says(text, "the server has said nothing for 2 s"));
    CHECK(says(text, "longest_silence"));
    CHECK(r.relay.fallen() == 1);
  }
}

TEST_CASE("postgres store: a session that falls silent in its commit is lost, and what the server has kept is read") {
  relayed r{connecting::at_leisure};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"});
  r.relay.fall_silent_at("commit", whom::one, true);
  const auto text = pending{*j, {"2"}}.failure();
  CAPTURE(text);
  CHECK(says(text, "postgresql://troupe@"));
  CHECK(says(text, "commit: the server has said nothing for 2 s"));
  CHECK(says(text, "whether this was kept is unknown"));
  CHECK(replayed(*j) == lines{"added 1", "added 2"});
  keep_events(*j, added{"3"});
  r.relay.speak();
  CHECK(kept_under(*r.store, "a") == lines{"added 1", "added 2", "added 3"});
}

TEST_CASE(
    "postgres store: a transaction that the network holds back until after its session was given up is not kept") {
  relayed r{connecting::at_leisure};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"});
  r.relay.fall_silent_at("commit", whom::one, false);
  CHECK(says(pending{*j, {"2"}}.failure(), "whether this was kept is unknown"));
  CHECK(replayed(*j) == lines{"added 1"});
  r.relay.speak(); // and brings it, to a session that is no more
  keep_events(*j, added{"3"});
  CHECK(kept_under(*r.store, "a") == lines{"added 1", "added 3"});
}

TEST_CASE("postgres store: while its server says nothing appends and replays fail, and go on when it speaks again") {
  relayed r{connecting::in_a_hurry, 100ms};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"});
  r.relay.fall_silent_at("commit", whom::all, true);
  CHECK(says(pending{*j, {"2"}}.failure(), "whether this was kept is unknown"));
  const auto text = message_of([&] { replayed(*j); });
  CAPTURE(text);
  CHECK(says(text, "no answer in 2 s"));
  CHECK(says(text, "nothing can be read"));
  CHECK(says(message_of([&] { r.store->keys(); }), "nothing can be read"));
  r.relay.speak();
  CHECK(once_replayed(*j) == lines{"added 1", "added 2"});
  keep_events(*j, added{"3"});
  CHECK(kept_under(*r.store, "a") == lines{"added 1", "added 2", "added 3"});
}

TEST_CASE("postgres store: a server that is lost again soon after it came back is waited for anew") {
  relayed r{connecting::in_a_hurry};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"});
  r.relay.fall_silent_at("commit", whom::all, true);
  CHECK(says(pending{*j, {"2"}}.failure(), "whether this was kept is unknown"));
  r.relay.speak();
  CHECK(once_replayed(*j) == lines{"added 1", "added 2"});
  keep_events(*j, added{"3"});
  const int before = r.relay.accepted();
  kept::cut_connections();
  CHECK(says(pending{*j, {"4"}}.failure(), "whether this was kept is unknown"));
  CHECK(r.relay.accepted() > before); // if all this took long, it can only miss a fault
}

TEST_CASE("postgres store: it is closed in bounded time although many appends wait for a server that says nothing") {
  relayed r{connecting::in_a_hurry};
  r.open_store();
  constexpr int writers = 20;
  std::vector<std::shared_ptr<troupe::journal>> journals;
  journals.reserve(writers);
  for (int i = 0; i < writers; ++i)
    journals.push_back(open(*r.store, "w" + std::to_string(i)));
  for (const auto& j : journals)
    keep_events(*j, added{"1"});
  const int before = r.relay.accepted();
  r.relay.fall_silent();
  std::deque<pending> all;
  for (const auto& j : journals)
    all.emplace_back(*j, added{"2"});
  journals.clear();
  r.store.reset();
  for (auto& p : all)
    CHECK(says(p.failure(), "postgresql://troupe@"));
  CHECK(r.relay.accepted() - before <= 4); // attempts to connect, each of which takes its time
}

TEST_CASE("postgres store: an append that the server does not even take in fails") {
  relayed r{connecting::at_leisure};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"});
  r.relay.fall_silent_on_present();
  const auto text = pending{*j, {std::string(8'000'000, 'x')}}.failure(); // more than the network holds
  CAPTURE(text);
  CHECK(says(text, "the server has said nothing for 2 s"));
  CHECK(says(text, "whether this was kept is unknown"));
  CHECK(replayed(*j) == lines{"added 1"});
}

TEST_CASE("postgres store: reads pass to other connections when those that they had fall silent") {
  relayed r{connecting::at_leisure};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"}, added{"2"});
  CHECK(replayed(*j) == lines{"added 1", "added 2"}); // over a connection that is kept
  r.relay.fall_silent_on_present();
  CHECK(replayed(*j) == lines{"added 1", "added 2"});
  r.relay.fall_silent_at("FROM events WHERE", whom::one, true);
  const auto text = message_of([&] { replayed(*j); });
  CAPTURE(text);
  CHECK(says(text, "the server has said nothing for 2 s"));
  CHECK(replayed(*j) == lines{"added 1", "added 2"});
}

TEST_CASE("postgres store: once a connection for reads has fallen silent the others are not tried") {
  relayed r{connecting::at_leisure};
  r.open_store();
  r.store.reset();
  troupe::postgres_database database{r.url, {.longest_silence = short_while}};
  {
    const auto one = database.read();
    const auto another = database.read();
  }
  r.relay.fall_silent_on_present();
  const auto next = database.read();
  r.relay.speak();
  const int before = r.relay.accepted();
  CHECK(database.read()->keys("").empty());
  CHECK(r.relay.accepted() == before + 1);
}

TEST_CASE("postgres store: a session whose process hangs is lost, and nothing is read until it has ended") {
  relayed r{connecting::at_leisure};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"});
  const auto writer = writer_of(r.direct);
  const kept::stopped_process stopped{writer};
  CHECK(says(pending{*j, {"2"}}.failure(), "whether this was kept is unknown"));
  const auto refusal = message_of([&] { replayed(*j); });
  CAPTURE(refusal);
  CHECK(says(refusal, "session " + std::to_string(writer)));
  CHECK(says(refusal, "nothing can be read"));
  stopped.go_on();
  auto seen = once_replayed(*j);
  keep_events(*j, added{"3"});
  seen.emplace_back("added 3");
  CHECK(kept_under(*r.store, "a") == seen);
}

TEST_CASE("postgres store: what goes through whole tables takes as long as the server says that it is at work") {
  constexpr auto while_of_asking = 4s; // to ask takes a connection
  relayed lists{connecting::at_leisure};
  relayed room{connecting::at_leisure};
  for (auto* r : {&lists, &room}) {
    r->open_store();
    keep_events(*open(*r->store, "a"), added{"1"});
    r->store.reset();
  }
  troupe::postgres_reader reader{lists.url, while_of_asking};
  troupe::postgres_database database{room.url, {.longest_silence = while_of_asking}};
  const auto outlasts_asking = [](const std::future<void>& under_way, const relayed& r, int before) {
    while (r.relay.accepted() < before + 2)
      if (under_way.wait_for(10ms) == std::future_status::ready)
        return false;
    return true;
  };
  std::vector<troupe::journal_summary> found;
  std::future<void> listing;
  std::future<void> vacuum;
  {
    const lock_holder no_list{lists.direct, "journals IN ACCESS EXCLUSIVE MODE"};
    const lock_holder no_vacuum{room.direct, "events IN SHARE UPDATE EXCLUSIVE MODE"};
    const int before_list = lists.relay.accepted();
    const int before_vacuum = room.relay.accepted();
    listing = std::async(std::launch::async, [&] { found = reader.summaries(""); });
    vacuum = std::async(std::launch::async, [&] { database.reclaim(); });
    CHECK(outlasts_asking(listing, lists, before_list));
    CHECK(outlasts_asking(vacuum, room, before_vacuum));
  }
  CHECK(message_of([&] { listing.get(); }) == "nothing was thrown");
  CHECK(message_of([&] { vacuum.get(); }) == "nothing was thrown");
  CHECK(found.size() == 1);
}

TEST_CASE(
    "postgres store: what waits for whole tables or for a row is given up when the server does not vouch for it") {
  relayed r{connecting::at_leisure};
  r.open_store();
  keep_events(*open(*r.store, "a"), added{"1"});
  r.store.reset();
  troupe::postgres_reader reader{r.url, short_while};
  SUBCASE("a row is not asked for twice") {
    const lock_holder held{r.direct, "journals IN ACCESS EXCLUSIVE MODE"};
    const int before = r.relay.accepted();
    CHECK(says(message_of([&] { reader.head("a"); }), "the server has said nothing for 2 s"));
    CHECK(r.relay.accepted() == before);
  }
  SUBCASE("a server that says nothing to anybody") {
    r.url += "&connect_timeout=1";
    troupe::postgres_reader hasty{r.url, short_while};
    r.relay.fall_silent_at("LEFT JOIN", whom::all, true);
    const auto text = message_of([&] { hasty.summaries(""); });
    CAPTURE(text);
    CHECK(says(text, "the server has said nothing for 2 s"));
    CHECK(says(text, "no answer in 1 s"));
  }
  SUBCASE("a session that has not got what it was sent") {
    r.relay.fall_silent_at("LEFT JOIN", whom::one, false);
    const auto text = message_of([&] { reader.summaries(""); });
    CAPTURE(text);
    CHECK(says(text, "the server has said nothing for 2 s"));
    CHECK(says(text, "the server does not know it to be at work"));
  }
}

TEST_CASE("postgres store: many statements of a transaction that take some time each are no silence together") {
  relayed r{connecting::at_leisure};
  r.open_store();
  auto j = open(*r.store, "a");
  keep_events(*j, added{"1"});
  auto* c = PQconnectdb(r.direct.c_str());
  for (const std::string sql :
       {"CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END'",
        "CREATE TRIGGER slow BEFORE DELETE ON journals EXECUTE FUNCTION slowly()",
        "CREATE TRIGGER slow BEFORE DELETE ON events EXECUTE FUNCTION slowly()",
        "CREATE TRIGGER slow BEFORE DELETE ON snapshots EXECUTE FUNCTION slowly()",
        "CREATE TRIGGER slow BEFORE DELETE ON handled EXECUTE FUNCTION slowly()",
        "CREATE TRIGGER slow BEFORE DELETE ON outbox EXECUTE FUNCTION slowly()"}) {
    auto* result = PQexec(c, sql.c_str());
    CHECK(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
  }
  PQfinish(c);
  const int before = r.relay.accepted();
  j->erase();
  CHECK(replayed(*j).empty());
  keep_events(*j, added{"2"});
  CHECK(kept_under(*r.store, "a") == lines{"added 2"});
  CHECK(r.relay.accepted() == before); // nobody had to connect anew
}

TEST_CASE("postgres store: a silence of no time at all is refused") {
  relayed r{connecting::at_leisure};
  r.options.longest_silence = 0ms;
  CHECK_THROWS_WITH_AS(troupe::open_postgres_store(r.url, r.options), "longest_silence is 0 s; it must be more",
                       troupe::usage_error);
}
