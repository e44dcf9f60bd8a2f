// SPDX-License-Identifier: BSD-3-Clause
// Claim: a server that has gone back behind what it had acknowledged, as a standby does that takes over too early, is not
// written on by a store that knows more than it.
// Observed: a private server that goes on from a copy of itself.
#include "runtime/journal/kept_postgres.hpp"
#include "runtime/journal/notes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace notes;
using kept::message_of;
using kept::says;

TEST_CASE(
    "postgres store: a server that took over without all that was acknowledged is refused until it is opened anew") {
  const auto url = kept::server().url("failover");
  troupe::postgres_options o;
  o.patience = std::chrono::milliseconds::zero();
  auto store = troupe::open_postgres_store(url, o);
  auto a = open(*store, "a");
  keep_events(*a, added{"1"});
  kept::server().back_up();
  CHECK(says(message_of([&] { keep_events(*open(*store, "b"), added{"1"}); }), "unknown"));
  keep_events(*a, added{"2"}); // a crash alone is none of this
  CHECK(kept_under(*store, "a") == lines{"added 1", "added 2"});
  kept::server().fail_over();
  CHECK(says(message_of([&] { keep_events(*open(*store, "c"), added{"1"}); }), "unknown"));
  const auto text = message_of([&] { keep_events(*a, added{"3"}); });
  CAPTURE(text);
  CHECK(says(text, "postgresql://troupe@"));
  CHECK(says(text, "lacks what was acknowledged last (transactions: 1)"));
  CHECK(says(message_of([&] { replayed(*a); }), "lacks what was acknowledged"));
  a.reset();
  store.reset();
  store = troupe::open_postgres_store(url);
  CHECK(kept_under(*store, "a") == lines{"added 1"});
  keep_events(*open(*store, "a"), added{"2b"});
  CHECK(kept_under(*store, "a") == lines{"added 1", "added 2b"});
}

TEST_CASE("postgres store: a server that took over with all that was acknowledged is written on") {
  const auto url = kept::server().url("failover_complete");
  auto store = troupe::open_postgres_store(url);
  auto a = open(*store, "a");
  keep_events(*a, added{"1"});
  kept::server().back_up();
  kept::server().fail_over();
  CHECK(says(message_of([&] { keep_events(*open(*store, "b"), added{"1"}); }), "unknown"));
  keep_events(*a, added{"2"});
  CHECK(kept_under(*store, "a") == lines{"added 1", "added 2"});
}
