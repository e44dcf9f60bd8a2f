// SPDX-License-Identifier: BSD-3-Clause
// Claim: a process that is killed while a durable actor forgets senders counts each of their messages once.
// Observed: children with an urn and thousands of voters on one SQLite file, killed at random points.
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/system.hpp>

#include "runtime/journal/ballot.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace ballot;
using namespace std::chrono_literals;

namespace {

using box = urn<100'000>;

struct polls {
  explicit polls(std::shared_ptr<troupe::journal_store> store) : sys{{.workers = 2, .journals = std::move(store)}} {}

  // Behind what is queued at the urn, each of it a write of its own.
  tally counted() { return urns["1"].ask(count_query{}, 1min).get(); }
  std::size_t senders() { return urns["1"].ask(senders_query{}, 1min).get(); }
  /// All that was cast is counted within a minute.
  bool counts(int votes) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (counted().votes < votes) {
      if (std::chrono::steady_clock::now() > end)
        return false;
      std::this_thread::sleep_for(20ms); // between two looks
    }
    return counted().votes == votes;
  }

  troupe::system sys;
  troupe::entities<box> urns{sys.root(), "urn"};
  troupe::entities<voter<box>> voters{sys.root(), "voter", troupe::entity_options{}, urns["1"]};
};

constexpr int at_once = 64;
constexpr std::size_t unsettled_max = 1'000; // voters whose votes the store does not know to have been counted

/// Has one voter after the other vote, from `first` on, `at_once` of them at a time, and tells `said` of each vote that is
/// kept. The urn, which keeps one vote after the other, keeps up: it is asked between. So does the writing down of what was
/// counted, which comes a second later: without it the urn could forget nobody.
[[noreturn]] void vote_for_ever(const std::string& path, int first, int said) {
  const auto store = troupe::open_sqlite_store(path);
  polls p{store};
  for (int i = first;; i += at_once) {
    std::vector<troupe::reply<void>> under_way;
    for (int k = 0; k < at_once; ++k)
      under_way.push_back(p.voters[std::to_string(i + k)].ask(cast_vote{1}, 1min));
    for (auto& kept : under_way) {
      std::move(kept).get();
      [[maybe_unused]] const auto n = ::write(said, "v", 1);
    }
    (void)p.counted();
    while (store->unsettled().size() > unsettled_max)
      std::this_thread::sleep_for(20ms); // between two looks
  }
}

int votes_in(troupe::durable_store& store) { return static_cast<int>(store.keys("voter/").size()); }

} // namespace

TEST_CASE("durable message: kill -9 while senders are forgotten loses no vote and counts none twice") {
  support::temporary_directory folder;
  const auto path = folder / "journal.db";
  const auto random = troupe::seeded_random(7);
  int next = 0; // nobody votes twice
  int kept = 0;
  for (int life = 0; life < 6; ++life) {
    int said[2];
    REQUIRE(::pipe(said) == 0);
    const auto child = ::fork();
    if (child == 0)
      vote_for_ever(path, next, said[1]);
    ::close(said[1]);
    const auto wanted = 1'500 + static_cast<int>(random->below(1'500));
    int acknowledged = 0;
    char byte = 0;
    while (acknowledged < wanted && ::read(said[0], &byte, 1) == 1)
      ++acknowledged;
    ::kill(child, SIGKILL);
    while (::read(said[0], &byte, 1) == 1)
      ++acknowledged;
    ::close(said[0]);
    ::waitpid(child, nullptr, 0);
    REQUIRE(acknowledged >= wanted); // it has not ended by itself
    const auto store = troupe::open_sqlite_store(path);
    const auto found = votes_in(*store) - kept;
    CHECK(found >= acknowledged);
    CHECK(found <= acknowledged + at_once); // those under way
    kept += found;
    next += acknowledged + at_once;
  }
  const auto store = troupe::open_sqlite_store(path);
  const auto cast = votes_in(*store);
  polls p{store};
  CHECK(p.counts(cast));
  CHECK(p.counted().sum == cast);
  CHECK(p.senders() < static_cast<std::size_t>(cast) / 2); // most were forgotten
  for (int i = 0; i < 200; ++i)                            // and come again
    p.voters[std::to_string(i)].ask(cast_vote{1}, 1min).get();
  CHECK(p.counts(cast + 200));
}
