// SPDX-License-Identifier: BSD-3-Clause
// Claim: a system whose journals are on a server that says nothing shuts down.
// Observed: durable actors on a private server behind a relay that falls silent.
#include <troupe/journal/postgres_store.hpp>
#include <troupe/system.hpp>

#include "runtime/journal/ballot.hpp"
#include "runtime/journal/kept_postgres.hpp"
#include "support/relay.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace ballot;
using namespace std::chrono_literals;

TEST_CASE("durable store: a system ends although its journals are on a server that has fallen silent") {
  support::relay relay{kept::server().socket()};
  const auto direct = kept::server().url("silent_system");
  troupe::postgres_options o;
  o.longest_silence = 1s;
  o.patience = 100ms;
  {
    troupe::system sys{{.workers = 2, .journals = troupe::open_postgres_store(relay.by_way(direct), o)}};
    troupe::entities<urn<10>> urns{sys.root(), "urn"};
    troupe::entities<voter<urn<10>>> voters{sys.root(), "voter", troupe::entity_options{}, urns["1"]};
    voters["1"].ask(cast_vote{1}, 1min).get();
    relay.fall_silent();
    constexpr int voters_waiting = 8;
    std::vector<troupe::reply<void>> under_way;
    under_way.reserve(voters_waiting);
    for (int i = 0; i < voters_waiting; ++i)
      under_way.push_back(voters[std::to_string(i)].ask(cast_vote{1}, 3s)); // it waits for the server
    int failed = 0;
    for (auto& kept : under_way)
      failed += std::move(kept).try_get() ? 0 : 1;
    CHECK(failed == voters_waiting);
    sys.shutdown();
  }              // and the store is closed
  relay.speak(); // tells the server
  const auto again = troupe::open_postgres_store(direct);
  CHECK(again->keys("voter/1").size() == 1);
}
