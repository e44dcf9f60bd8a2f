// SPDX-License-Identifier: BSD-3-Clause
// Claims: who runs where and in which order, that all workers are used, that idle is silent, and how it starts and stops.
// Observed through logs and the workers' own numbers.
#include "scheduler_stage.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <memory>
#include <pthread.h>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace scheduler_stage;

namespace {

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

TEST_CASE("scheduler: threads that have been replaced and have ended keep no stacks") {
  struct visit {
    std::latch inside{1};
    std::latch leave{1};
    job stuck{[this] {
      inside.count_down();
      leave.wait();
      return run_result::idle;
    }};
  };
  std::deque<visit> visits; // until the threads have ended
  scheduler s{{.spare_workers = 1, .workers = 1}};
  s.start();
  const auto address_space = [] {
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  };
  pthread_attr_t of_threads;
  std::size_t stack = 0;
  REQUIRE(::pthread_getattr_default_np(&of_threads) == 0);
  ::pthread_attr_getstacksize(&of_threads, &stack);
  ::pthread_attr_destroy(&of_threads);
  constexpr std::size_t rounds = 100;
  const auto before = address_space();
  for (std::size_t i = 0; i < rounds; ++i) {
    auto& v = visits.emplace_back();
    s.submit(v.stuck);
    v.inside.wait();
    const unsigned busy = s.at(0).running() == &v.stuck ? 0 : 1;
    REQUIRE(eventually([&] { return s.compensate(busy); })); // once the seat of the one before is free
    v.leave.count_down();
    REQUIRE(eventually([&] { return s.at(busy).running() == nullptr; }));
  }
  CHECK(address_space() < before + rounds / 3 * stack); // the C library keeps a few
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
