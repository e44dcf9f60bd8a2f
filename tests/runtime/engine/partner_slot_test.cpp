// SPDX-License-Identifier: BSD-3-Clause
// Claims: who is woken by a turn goes next on the same worker, who waits for its partner lingers and comes back right after it,
// and neither starves anybody. Observed through logs of turns and the workers' own numbers.
#include "scheduler_stage.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <latch>
#include <vector>

using namespace scheduler_stage;

TEST_CASE("scheduler: the hot partner goes first and submit_fair goes behind the others") {
  std::vector<int> log; // one worker: its turns are in sequence
  std::atomic<bool> done{false};
  scheduler s{{.workers = 1}};
  std::array<job, 4> jobs;
  for (int i = 0; i < 4; ++i)
    jobs[static_cast<std::size_t>(i)].body = [&, i] {
      log.push_back(i);
      done = log.size() == 4;
      return run_result::idle;
    };
  job first{[&] {
    s.submit_fair(jobs[0]);
    s.submit_fair(jobs[1]);
    schedule(s, jobs[2]); // takes the slot, then is put back by the next
    schedule(s, jobs[3]);
    return run_result::idle;
  }};
  s.submit(first);
  s.start();
  CHECK(eventually([&] { return done.load(); }));
  s.stop();
  CHECK(log == std::vector{3, 0, 1, 2});
}

TEST_CASE("scheduler: a pair in the hot slot starves neither the queue nor the injector") {
  scheduler s{{.workers = 1}};
  std::atomic<bool> stop{false};
  job ping, pong;
  ping.body = [&] {
    if (!stop)
      schedule(s, pong);
    return run_result::idle;
  };
  pong.body = [&] {
    if (!stop)
      schedule(s, ping);
    return run_result::idle;
  };
  std::atomic<bool> local{false}, outside{false};
  job queued{[&] {
    local = true;
    return run_result::idle;
  }};
  job first{[&] {
    s.submit_fair(queued);
    schedule(s, ping);
    return run_result::idle;
  }};
  job injected{[&] {
    outside = true;
    return run_result::idle;
  }};
  s.start();
  s.submit(first);
  CHECK(eventually([&] { return local.load(); }));
  s.submit(injected);
  CHECK(eventually([&] { return outside.load(); }));
  stop = true;
  CHECK(goes_idle(s));
}

TEST_CASE("scheduler: who lingers goes next after its partner's turn, before the queue") {
  std::vector<char> log; // one worker: its turns are in sequence
  std::atomic<bool> done{false};
  scheduler s{{.workers = 1}};
  job partner{[&] {
    log.push_back('p');
    return run_result::idle;
  }};
  job queued{[&] {
    log.push_back('q');
    done = true;
    return run_result::idle;
  }};
  job lingerer;
  lingerer.body = [&] {
    log.push_back('l');
    if (log.size() > 1)
      return run_result::idle;
    CHECK_FALSE(worker::current()->may_linger()); // there is no partner
    s.submit_fair(queued);
    CHECK_FALSE(worker::current()->may_linger());
    schedule(s, partner);
    CHECK(worker::current()->may_linger());
    worker::current()->linger(lingerer);
    return run_result::idle;
  };
  s.submit(lingerer);
  s.start();
  CHECK(eventually([&] { return done.load(); }));
  s.stop();
  CHECK(log == std::vector{'l', 'p', 'l', 'q'});
}

TEST_CASE("scheduler: a partner can recall who lingers, once") {
  std::vector<char> log;
  std::atomic<bool> done{false};
  scheduler s{{.workers = 1}};
  job lingerer;
  job stranger{[] { return run_result::idle; }};
  job partner{[&] {
    log.push_back('p');
    auto& here = *worker::current();
    CHECK_FALSE(here.recall(stranger));
    const bool recalled = here.recall(lingerer);
    CHECK(recalled);
    CHECK_FALSE(here.recall(lingerer));
    if (recalled)
      schedule(s, lingerer);
    return run_result::idle;
  }};
  lingerer.body = [&] {
    log.push_back('l');
    if (log.size() == 1) {
      schedule(s, partner);
      worker::current()->linger(lingerer);
    } else {
      done = true;
    }
    return run_result::idle;
  };
  s.submit(lingerer);
  s.start();
  CHECK(eventually([&] { return done.load(); }));
  CHECK(goes_idle(s));
  s.stop();
  CHECK(log == std::vector{'l', 'p', 'l'});
}

TEST_CASE("scheduler: who lingers beside a long turn runs elsewhere before that ends") {
  scheduler s{{.workers = 2}};
  std::latch again{1};
  std::atomic<int> turns{0};
  std::atomic<bool> ended{false};
  job lingerer;
  job partner{[&] {
    again.wait(); // for the turn of who lingers
    ended = true;
    return run_result::idle;
  }};
  lingerer.body = [&] {
    if (++turns == 1) {
      schedule(s, partner);
      worker::current()->linger(lingerer);
    } else {
      again.count_down();
    }
    return run_result::idle;
  };
  s.start();
  REQUIRE(goes_idle(s));
  s.submit(lingerer);
  CHECK(eventually([&] { return ended.load(); }));
  CHECK(turns == 2);
}

TEST_CASE("scheduler: ping-pong through the hot slot stays on one worker") {
  constexpr int hops = 500'000;
  scheduler s{{.workers = 2}};
  std::atomic<int> left{hops};
  job ping, pong;
  ping.body = [&] {
    if (--left > 0)
      schedule(s, pong);
    return run_result::idle;
  };
  pong.body = [&] {
    if (--left > 0)
      schedule(s, ping);
    return run_result::idle;
  };
  s.start();
  REQUIRE(goes_idle(s));
  s.submit(ping);
  CHECK(eventually([&] { return left <= 0; }));
  s.stop();
  CHECK(total(s, &worker_statistics::turns) == hops);
  // The watch moves the pair when this machine holds its worker up for longer than a nap: seldom, and as a pair.
  CHECK(total(s, &worker_statistics::steals) < 100);
}
