// SPDX-License-Identifier: BSD-3-Clause
// Claims: who runs where and in which order, that nothing starves, that long turns hold nobody up, that idle is silent.
// Observed through logs and the workers' own numbers. Where "never" or "nothing happens" is claimed, a window of
// time is watched; everywhere else the test waits for an event, with a generous limit.
#include <troupe/engine/scheduler.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace troupe::engine;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

struct job final : runnable {
  job() = default;
  explicit job(std::function<run_result()> f) : body{std::move(f)} {}
  run_result run() noexcept override { return body(); }
  std::function<run_result()> body;
};

template <class Condition>
bool eventually(Condition holds) {
  for (const auto end = steady_clock::now() + 20s; !holds();) {
    if (steady_clock::now() > end)
      return false;
    std::this_thread::yield();
  }
  return true;
}

bool goes_idle(const scheduler& s) {
  return eventually([&] { return s.parked() == s.workers(); });
}

template <class Member>
std::uint64_t total(const scheduler& s, Member member) {
  std::uint64_t sum = 0;
  for (auto& w : s.statistics())
    sum += w.*member;
  return sum;
}

/// Voluntary context switches of this process's threads named worker-*.
long switches_of_workers() {
  long sum = 0;
  for (auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream status{task.path() / "status"};
    bool ours = false;
    for (std::string line; std::getline(status, line);) {
      ours = ours || line.starts_with("Name:\tworker-");
      if (ours && line.starts_with("voluntary_ctxt_switches:"))
        sum += std::stol(line.substr(line.find(':') + 1));
    }
  }
  return sum;
}

} // namespace

TEST_CASE("scheduler: has at least one worker by default and as many as asked") {
  CHECK(scheduler{}.workers() >= 1);
  CHECK(scheduler{{.workers = 3}}.workers() == 3);
}

TEST_CASE("scheduler: runs what was submitted before start") {
  std::latch ran{1};
  job j{[&] {
    ran.count_down();
    return run_result::idle;
  }};
  scheduler s{{.workers = 2}};
  s.submit(j);
  s.start();
  s.start();
  ran.wait();
  s.stop();
  s.stop();
  CHECK(total(s, &worker_statistics::turns) == 1);
}

TEST_CASE("scheduler: runs an again result until it is idle") {
  std::atomic<int> left{1000};
  job j{[&] { return --left > 0 ? run_result::again : run_result::idle; }};
  scheduler s{{.workers = 2}};
  s.start();
  s.submit(j);
  CHECK(eventually([&] { return left == 0; }));
  CHECK(goes_idle(s));
  CHECK(total(s, &worker_statistics::turns) == 1000);
}

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

TEST_CASE("scheduler: a worker knows itself and shows its turn") {
  std::latch inside{1};
  std::latch leave{1};
  scheduler s{{.workers = 1}};
  job j{[&] {
    inside.count_down();
    leave.wait();
    return run_result::idle;
  }};
  CHECK(worker::current() == nullptr);
  s.submit(j);
  s.start();
  inside.wait();
  CHECK(s.at(0).running() == &j);
  CHECK(s.at(0).turns() == 1);
  const auto now = steady_clock::now().time_since_epoch();
  CHECK(s.at(0).turn_started() <= now);
  CHECK(s.at(0).turn_started() > now - 20s);
  leave.count_down();
  CHECK(goes_idle(s));
  CHECK(s.at(0).running() == nullptr);
}

TEST_CASE("scheduler: what comes while a spare worker's thread cannot be started is run all the same") {
  std::latch inside{1};
  std::latch leave{1};
  std::atomic<bool> ran{false};
  job stuck{[&] {
    inside.count_down();
    leave.wait();
    return run_result::idle;
  }};
  job other{[&] {
    ran = true;
    return run_result::idle;
  }};
  std::atomic<int> threads{0};
  std::unique_ptr<scheduler> s;
  s = std::make_unique<scheduler>(scheduler_options{.spare_workers = 1, .workers = 2},
                                  [&](std::string name, std::function<void()> body) {
                                    if (++threads > 2) {
                                      s->submit(other); // the spare worker counts as searching, so it wakes nobody
                                      throw std::runtime_error{"no more threads"};
                                    }
                                    return make_thread(std::move(name), std::move(body));
                                  });
  s->submit(stuck);
  s->start();
  inside.wait();
  CHECK(eventually([&] { return s->parked() == 1; }));
  const unsigned busy = s->at(0).running() == &stuck ? 0 : 1;
  CHECK_FALSE(s->compensate(busy));
  CHECK(eventually([&] { return ran.load(); }));
  leave.count_down();
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

TEST_CASE("scheduler: independent runnables use all workers") {
  constexpr unsigned workers = 3;
  scheduler s{{.workers = workers}};
  std::latch together{workers}; // passes only if all are inside at once
  std::atomic<unsigned> passed{0};
  std::vector<job> jobs(workers);
  for (auto& j : jobs)
    j.body = [&] {
      together.arrive_and_wait();
      ++passed;
      return run_result::idle;
    };
  s.start();
  for (auto& j : jobs)
    s.submit(j);
  CHECK(eventually([&] { return passed == workers; }));
}

TEST_CASE("scheduler: idle workers do not wake up") {
  scheduler s{{.workers = 3}};
  std::atomic<int> left{1000};
  job j{[&] { return --left > 0 ? run_result::again : run_result::idle; }};
  s.start();
  s.submit(j);
  REQUIRE(eventually([&] { return left == 0; }));
  REQUIRE(goes_idle(s));
  // The watch retires at its next look; before that it still naps. Two equal readings 20 ms apart: it has.
  auto before = switches_of_workers();
  REQUIRE(eventually([&] {
    std::this_thread::sleep_for(20ms);
    const auto now = switches_of_workers();
    return std::exchange(before, now) == now;
  }));
  const auto parks = total(s, &worker_statistics::parks);
  std::this_thread::sleep_for(300ms); // the window in which nothing may happen
  CHECK(switches_of_workers() == before);
  CHECK(total(s, &worker_statistics::parks) == parks);
}

TEST_CASE("scheduler: stop ends the current turns and hands out the rest exactly once") {
  scheduler s{{.workers = 2}};
  std::latch inside{2};
  std::atomic<bool> leave{false};
  std::atomic<int> ran{0};
  std::vector<job> rest(700);
  for (auto& j : rest)
    j.body = [&] {
      ++ran;
      return run_result::idle;
    };
  const auto hold = [&](std::size_t from, std::size_t to) {
    return [&, from, to, began = false]() mutable {
      if (!std::exchange(began, true)) { // it may get another turn before the stop is noticed
        for (auto i = from; i < to; ++i)
          schedule(s, rest[i]);
        inside.count_down();
      }
      while (!leave)
        std::this_thread::yield();
      return run_result::again;
    };
  };
  job a{hold(0, 350)}, b{hold(350, 700)};
  s.start();
  s.submit(a);
  s.submit(b);
  inside.wait();
  std::jthread stopper{[&] { s.stop(); }};
  std::jthread opener{[&] { leave = true; }};
  stopper.join();
  const auto left = s.drain();
  const std::set<runnable*> distinct(left.begin(), left.end());
  CHECK(distinct.size() == left.size());
  CHECK(left.size() + static_cast<std::size_t>(ran.load()) == rest.size() + 2);
  CHECK(distinct.contains(&a));
  CHECK(distinct.contains(&b));
  s.submit(a);
  CHECK(s.drain() == std::vector<runnable*>{&a});
}

TEST_CASE("scheduler: stop reaches workers at any moment of their parking") {
  for (int i = 0; i < 300; ++i) {
    scheduler s{{.workers = 3}};
    job j{[] { return run_result::idle; }};
    s.start();
    if (i % 3 == 0)
      s.submit(j);
    if (i % 2 == 0)
      REQUIRE(goes_idle(s));
  } // a worker that missed it would hang here
}

TEST_CASE("scheduler: threads come from the factory and a failing one leaves none behind") {
  std::vector<std::string> names;
  int allowed = 2;
  const auto factory = [&](std::string name, std::function<void()> body) {
    if (allowed-- == 0)
      throw std::runtime_error{"no more threads"};
    names.push_back(name);
    return std::jthread{std::move(body)};
  };
  scheduler two{{.workers = 2}, factory};
  two.start();
  CHECK(names == std::vector<std::string>{"worker-0", "worker-1"});
  allowed = 1;
  scheduler broken{{.workers = 2}, factory};
  CHECK_THROWS_AS(broken.start(), std::runtime_error);
}

TEST_CASE("scheduler: one worker schedules into another scheduler from outside") {
  scheduler a{{.workers = 1}};
  scheduler b{{.workers = 1}};
  std::atomic<const executor*> where{nullptr};
  job second{[&] {
    where = worker::current()->owner();
    return run_result::idle;
  }};
  job first{[&] {
    schedule(b, second);
    return run_result::idle;
  }};
  a.start();
  b.start();
  a.submit(first);
  CHECK(eventually([&] { return where.load() == &b; }));
}
