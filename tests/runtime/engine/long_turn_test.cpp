// SPDX-License-Identifier: BSD-3-Clause
// Claims: long turns hold nobody up who waits behind them, and those who yield starve nobody. Observed from inside long turns,
// which end only when what waited has run.
#include "scheduler_stage.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <vector>

using namespace scheduler_stage;

TEST_CASE("scheduler: a lone yielding runnable stays where it is") {
  std::set<worker*> places;
  std::atomic<bool> done{false};
  int turns = 0;
  scheduler s{{.workers = 2}};
  job j{[&] {
    places.insert(worker::current());
    done = ++turns == 1000;
    return done ? run_result::idle : run_result::again;
  }};
  s.start();
  REQUIRE(goes_idle(s));
  s.submit(j);
  CHECK(eventually([&] { return done.load(); }));
  s.stop();
  CHECK(places.size() <= 2); // the watch may take it while this machine holds its worker up
  CHECK(total(s, &worker_statistics::steals) < 100);
}

TEST_CASE("scheduler: yielding runnables in the queue do not starve the injector") {
  scheduler s{{.workers = 1}};
  std::atomic<bool> stop{false}, outside{false};
  job a{[&] { return stop ? run_result::idle : run_result::again; }};
  job b{[&] { return stop ? run_result::idle : run_result::again; }};
  job injected{[&] {
    outside = true;
    return run_result::idle;
  }};
  s.start();
  s.submit(a);
  s.submit(b);
  CHECK(eventually([&] { return s.at(0).turns() > 100; }));
  s.submit(injected);
  CHECK(eventually([&] { return outside.load(); }));
  stop = true;
}

TEST_CASE("scheduler: what a long turn submitted runs elsewhere before the turn ends") {
  scheduler s{{.workers = 2}};
  std::atomic<int> rescued{0};
  std::atomic<bool> ran{false};
  job partner{[&] {
    ran = true;
    return run_result::idle;
  }};
  job computing{[&] {
    ran = false;
    schedule(s, partner); // into the slot
    rescued += eventually([&] { return ran.load(); }) ? 1 : 0;
    return run_result::idle;
  }};
  s.start();
  for (int i = 1; i <= 50; ++i) {
    if (i % 2 == 0)
      REQUIRE(goes_idle(s));
    s.submit(computing);
    REQUIRE(eventually([&] { return rescued == i; }));
  }
}

TEST_CASE("scheduler: a turn sees what its submitter wrote before") {
  scheduler s{{.workers = 2}};
  int plain = 0; // a slot that did not publish it would show under ThreadSanitizer
  int seen = 0;
  std::atomic<int> ran{0};
  job partner{[&] {
    seen += plain;
    ++ran;
    return run_result::idle;
  }};
  std::atomic<bool> done{false};
  job computing{[&] {
    for (int i = 1; i <= 100; ++i) { // after the first, the watch finds it without being called
      plain = i;
      schedule(s, partner);
      if (!eventually([&] { return ran == i; }))
        break;
    }
    done = true;
    return run_result::idle;
  }};
  s.start();
  s.submit(computing);
  CHECK(eventually([&] { return done.load(); }));
  CHECK(seen == 5050);
}

TEST_CASE("scheduler: what waits in the queue behind a long turn runs elsewhere") {
  scheduler s{{.workers = 2}};
  std::atomic<int> ran{0};
  std::vector<job> many(1000); // more than the ring holds
  for (auto& j : many)
    j.body = [&] {
      ++ran;
      return run_result::idle;
    };
  std::atomic<bool> all{false};
  job computing{[&] {
    for (auto& j : many)
      schedule(s, j);
    all = eventually([&] { return ran == 1000; });
    return run_result::idle;
  }};
  s.start();
  s.submit(computing);
  CHECK(eventually([&] { return all.load(); }));
}

TEST_CASE("scheduler: what a full ring moves to the injector runs too") {
  scheduler s{{.workers = 1}}; // nobody takes anything out meanwhile
  std::atomic<int> ran{0};
  std::vector<job> many(1000);
  for (auto& j : many)
    j.body = [&] {
      ++ran;
      return run_result::idle;
    };
  job filling{[&] {
    for (auto& j : many)
      schedule(s, j);
    return run_result::idle;
  }};
  s.start();
  s.submit(filling);
  CHECK(eventually([&] { return ran == 1000; }));
  CHECK(total(s, &worker_statistics::overflows) > 0);
}

TEST_CASE("scheduler: a yield is not left behind a long turn of its neighbour") {
  scheduler s{{.workers = 2}};
  std::atomic<bool> ran{false}, seen{false};
  job computing{[&] {
    seen = eventually([&] { return ran.load(); });
    return run_result::idle;
  }};
  int turn = 0;
  job yielding{[&] {
    if (turn++ == 0) {
      schedule(s, computing);
      return run_result::again;
    }
    ran = true;
    return run_result::idle;
  }};
  s.start();
  s.submit(yielding);
  CHECK(eventually([&] { return seen.load(); }));
}
