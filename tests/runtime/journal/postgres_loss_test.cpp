// SPDX-License-Identifier: BSD-3-Clause
// Claim: a server, or a session, that is lost in the middle of a batch costs nothing that was acknowledged, and nobody reads
// what the lost session may still change.
// Observed: a private server that is crashed while journals are written; one whose commits wait for a standby that never
// comes while the connections to it are cut.
#include <troupe/journal/postgres_connection.hpp>

#include "runtime/journal/held_commits.hpp"
#include "runtime/journal/kept_postgres.hpp"
#include "runtime/journal/notes.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace notes;
using namespace std::chrono_literals;
using kept::message_of;
using kept::says;

namespace {

/// How many appends of each writer have been acknowledged, for who waits until all have come further.
class progress {
public:
  explicit progress(std::size_t writers) : acknowledged_(writers) {}
  void acknowledge(std::size_t writer) {
    std::unique_lock held{mutex_};
    ++acknowledged_[writer];
    changed_.notify_all();
  }
  bool all_go_on() {
    std::unique_lock held{mutex_};
    const auto before = acknowledged_;
    return changed_.wait_for(held, 60s, [&] {
      for (std::size_t w = 0; w < before.size(); ++w)
        if (acknowledged_[w] == before[w])
          return false;
      return true;
    });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> acknowledged_;
};

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

lines with(lines all, const std::string& last) {
  all.push_back(last);
  return all;
}

} // namespace

TEST_CASE("postgres store: what was acknowledged outlives a server that is lost in the middle of batches") {
  kept::postgres k;
  constexpr int writers = 4;
  progress so_far{writers};
  std::vector<lines> acknowledged(writers);
  std::vector<int> failed(writers);
  {
    std::vector<std::jthread> threads;
    for (std::size_t w = 0; w < writers; ++w)
      threads.emplace_back([&, w](const std::stop_token& stop) {
        const auto key = "w" + std::to_string(w);
        auto j = open(*k.store, key);
        for (int i = 0; !stop.stop_requested(); ++i) {
          try {
            keep_events(*j, removed{i});
            acknowledged[w].push_back("removed " + std::to_string(i));
            so_far.acknowledge(w);
          } catch (const troupe::journal_error&) {
            ++failed[w];
            // As an actor does: look at what is there, as soon as that is possible.
            for (bool seen = false; !seen && !stop.stop_requested();) {
              try {
                auto all = replayed(*j);
                // At most the one whose outcome was unknown has been added.
                if (all.size() == acknowledged[w].size() + 1)
                  acknowledged[w].push_back(all.back());
                CHECK(all == acknowledged[w]);
                seen = true;
              } catch (const troupe::journal_error&) {
                std::this_thread::yield(); // the server is not back yet
              }
            }
          }
        }
      });
    for (int crash = 0; crash < 3; ++crash) {
      CHECK(so_far.all_go_on());
      kept::server().crash();
      kept::server().start();
    }
    CHECK(so_far.all_go_on());
  }
  k.reopen();
  int failures = 0;
  for (std::size_t w = 0; w < writers; ++w) {
    failures += failed[w];
    CHECK(kept_under(*k.store, "w" + std::to_string(w)) == acknowledged[w]);
  }
  CHECK(failures > 0);
}

TEST_CASE("postgres store: appends fail with the server's name once its absence outlasts the patience") {
  const auto url = kept::server().url("patience");
  troupe::postgres_options o;
  o.patience = 100ms;
  auto store = troupe::open_postgres_store(url, o);
  auto j = open(*store, "a");
  keep_events(*j, added{"1"});
  kept::server().crash();
  CHECK(says(message_of([&] { keep_events(*j, added{"2"}); }), "unknown"));
  CHECK(says(message_of([&] { keep_events(*j, added{"2"}); }), "read again"));
  CHECK(says(message_of([&] { replayed(*j); }), "postgresql://troupe@"));
  auto other = open(*store, "b");
  CHECK(says(message_of([&] { keep_events(*other, added{"2"}); }), "postgresql://troupe@"));
  kept::server().start();
  CHECK(says(message_of([&] { keep_events(*j, added{"2"}); }), "read again")); // an attempt to read it is not enough
  CHECK(replayed(*j) == lines{"added 1"});
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (message_of([&] { keep_events(*j, added{"2"}); }) == "nothing was thrown")
      break;
    std::this_thread::sleep_for(10ms);
    CHECK(replayed(*j) == lines{"added 1"});
  }
  CHECK(replayed(*j) == lines{"added 1", "added 2"});
}

TEST_CASE("postgres store: an append whose session is lost in its commit is decided before anybody reads") {
  kept::postgres k;
  auto j = open(*k.store, "a");
  keep_events(*j, added{"1"}, added{"2"}, added{"3"});
  kept::held_commits held;
  pending fourth{*j, {"4"}};
  const auto lost = held.session_in_commit();
  held.cut_others();
  CHECK(says(fourth.failure(), "unknown"));
  const auto seen = replayed(*j);
  held.release();
  held.await_end_of(lost);
  CHECK(kept_under(*k.store, "a") == seen);
  keep_events(*j, added{"5"});
  CHECK(kept_under(*k.store, "a") == with(seen, "added 5"));
}

TEST_CASE("postgres store: a journal whose erasure was in doubt can be read and written") {
  kept::postgres k;
  auto j = open(*k.store, "a");
  keep_events(*j, added{"1"}, added{"2"}, added{"3"});
  kept::held_commits held;
  j->erase();
  const auto lost = held.session_in_commit();
  held.cut_others();
  const auto seen = replayed(*j);
  pending next{*j, {"4"}};
  held.release();
  held.await_end_of(lost);
  CHECK(next.failure() == "nothing was thrown");
  CHECK(kept_under(*k.store, "a") == with(seen, "added 4"));
}

TEST_CASE("postgres store: what was handed over behind an erasure that is lost with its session is not kept alone") {
  const auto url = kept::server().url("erasure");
  troupe::postgres_options o;
  o.drop_history = true;
  auto store = troupe::open_postgres_store(url, o);
  auto j = open(*store, "a");
  for (const auto* text : {"1", "2"}) {
    keep_events(*j, added{text});
    j->snapshot(record(page{text}));
  }
  const auto before = replayed(*j);
  CHECK(before == lines{"snapshot page 2"});
  troupe::postgres_connection aside{kept::server().url("public")};
  const auto session = aside.text_of("SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' AND granted").value();
  const kept::stopped_process stopped{std::stoi(session)};
  j->erase();
  std::this_thread::sleep_for(20ms); // it is on its way to the server; if not, this can only miss a fault
  pending next{*j, {"3"}};
  aside.text_of(("SELECT pg_terminate_backend(" + session + ")::text").c_str());
  stopped.go_on();
  const auto failure = next.failure();
  CAPTURE(failure);
  const auto seen = replayed(*j);
  CHECK(seen == (failure == "nothing was thrown" ? lines{"added 3"} : before));
  keep_events(*j, added{"4"});
  CHECK(replayed(*j) == with(seen, "added 4"));
}

TEST_CASE("postgres store: nothing is read while a lost session that cannot be ended may still commit") {
  const auto url = kept::server().url("undecided");
  troupe::postgres_options o;
  o.patience = 100ms;
  auto store = troupe::open_postgres_store(url, o);
  auto j = open(*store, "a");
  keep_events(*j, added{"1"});
  kept::held_commits held;
  pending second{*j, {"2"}};
  const auto lost = held.session_in_commit();
  const kept::stopped_process stopped{lost};
  held.cut_others();
  CHECK(says(second.failure(), "unknown"));
  const auto refusal = message_of([&] { replayed(*j); });
  CAPTURE(refusal);
  CHECK(says(refusal, "postgresql://troupe@"));
  CHECK(says(refusal, "session " + std::to_string(lost)));
  CHECK(says(refusal, "nothing can be read"));
  CHECK(says(message_of([&] { store->keys(); }), "nothing can be read"));
  held.release();
  CHECK(says(message_of([&] { kept_under(*store, "a"); }), "nothing can be read"));
  stopped.go_on();
  held.await_end_of(lost);
  const auto seen = replayed(*j);
  keep_events(*j, added{"3"});
  CHECK(kept_under(*store, "a") == with(seen, "added 3"));
}

TEST_CASE("postgres store: it is closed although its server does not come back") {
  const auto url = kept::server().url("closed");
  troupe::postgres_options o;
  o.patience = 300ms;
  auto store = troupe::open_postgres_store(url, o);
  auto one = open(*store, "a");
  auto other = open(*store, "b");
  keep_events(*one, added{"1"});
  keep_events(*other, added{"1"});
  kept::server().crash();
  pending first{*one, {"2"}};
  pending second{*other, {"2"}};
  one.reset();
  other.reset();
  store.reset();
  CHECK(says(first.failure(), "postgresql://troupe@"));
  CHECK(says(second.failure(), "postgresql://troupe@"));
  kept::server().start();
  store = troupe::open_postgres_store(url, o);
  CHECK(kept_under(*store, "a") == lines{"added 1"});
  CHECK(kept_under(*store, "b") == lines{"added 1"});
}

TEST_CASE("postgres store: a writer that was replaced while its session was lost is refused") {
  const auto url = kept::server().url("replaced");
  troupe::postgres_options o;
  o.patience = 0ms;
  auto store = troupe::open_postgres_store(url, o);
  auto j = open(*store, "a");
  keep_events(*j, added{"1"});
  kept::cut_connections();
  std::shared_ptr<troupe::journal_store> successor;
  for (int attempt = 0; successor == nullptr && attempt < 30; ++attempt) // as soon as the server has noticed
    message_of([&] { successor = troupe::open_postgres_store(url); });
  REQUIRE(successor != nullptr);
  open(*successor, "a")->erase();
  successor.reset();
  CHECK(says(message_of([&] { keep_events(*j, added{"2"}); }), "unknown"));
  CHECK(says(message_of([&] { replayed(*j); }), "another writer"));
  CHECK(says(message_of([&] { keep_events(*open(*store, "b"), added{"1"}); }), "another writer"));
  j.reset();
  store.reset();
  store = troupe::open_postgres_store(url, o);
  keep_events(*open(*store, "a"), added{"2"});
  CHECK(kept_under(*store, "a") == lines{"added 2"});
}
