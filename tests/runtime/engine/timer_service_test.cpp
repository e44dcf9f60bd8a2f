// SPDX-License-Identifier: BSD-3-Clause
// Claim: stepped, timers fire in order and only when due; threaded, none is lost, early or fired once taken back.
// Observed: stepped against a std::multimap; threaded by waiting for the callbacks themselves, never for time to pass.
#include <troupe/engine/timer_service.hpp>

#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using troupe::time_point;
using troupe::engine::timer_node;
using troupe::engine::timer_service;

namespace {

/// A timer that notes that it fired.
struct noted : timer_node {
  explicit noted(std::vector<noted*>* log = nullptr) : log_{log} {
    fire = [](timer_node& node) noexcept {
      auto& self = static_cast<noted&>(node);
      self.fired = true;
      if (self.log_)
        self.log_->push_back(&self);
    };
  }

  bool fired = false;

private:
  std::vector<noted*>* log_;
};

/// A timer that another thread can wait for.
struct awaited : timer_node {
  awaited() {
    fire = [](timer_node& node) noexcept {
      auto& self = static_cast<awaited&>(node);
      self.fired_at = troupe::production_clock()->now();
      self.done.store(true); // the last touch: who waits may destroy the node
    };
  }

  void wait() const {
    while (!done.load())
      std::this_thread::yield();
  }

  time_point fired_at{};
  std::atomic<bool> done{false};
};

struct threaded {
  std::shared_ptr<troupe::clock> clock = troupe::production_clock();
  timer_service timers{*clock, *troupe::production_threads(), 3};
};

} // namespace

TEST_CASE("timer_service: stepped timers fire in the order of deadline and then of arming") {
  timer_service timers{timer_service::stepped};
  std::vector<noted*> log;
  std::vector<noted> nodes(5, noted{&log});
  timers.arm(nodes[0], time_point{3s}, 7);
  timers.arm(nodes[1], time_point{1s}, 0);
  timers.arm(nodes[2], time_point{3s}, 2);
  timers.arm(nodes[3], time_point{2s}, 1);
  timers.arm(nodes[4], time_point{4s}, 0);
  CHECK(timers.size() == 5);
  CHECK(timers.next_deadline() == time_point{1s});
  CHECK(timers.run_due(time_point{1s} - 1ns) == 0);
  CHECK(timers.run_due(time_point{3s}) == 4);
  CHECK(log == std::vector<noted*>{&nodes[1], &nodes[3], &nodes[0], &nodes[2]});
  CHECK(timers.next_deadline() == time_point{4s});
  CHECK(timers.disarm(nodes[4]));
  CHECK_FALSE(timers.disarm(nodes[4]));
  CHECK_FALSE(timers.disarm(nodes[0]));
  CHECK(timers.next_deadline() == time_point::max());
}

TEST_CASE("timer_service: a callback may arm its own node again and disarm others") {
  timer_service timers{timer_service::stepped};
  noted victim;
  struct periodic : timer_node {
    timer_service* timers;
    timer_node* victim;
    int ticks = 0;
    bool took_victim = false;
  } tick;
  tick.timers = &timers;
  tick.victim = &victim;
  tick.fire = [](timer_node& node) noexcept {
    auto& self = static_cast<periodic&>(node);
    if (++self.ticks == 3)
      self.took_victim = self.timers->disarm(*self.victim);
    self.timers->arm(node, node.at + 1s, 0);
  };
  timers.arm(tick, time_point{1s}, 0);
  timers.arm(victim, time_point{3s}, 0); // armed before the third tick is, so due before it at equal time
  CHECK(timers.run_due(time_point{2s}) == 2);
  timers.disarm(victim);
  timers.arm(victim, time_point{3s} + 1ns, 0);
  CHECK(timers.run_due(time_point{10s}) == 8);
  CHECK(tick.ticks == 10);
  CHECK(tick.took_victim);
  CHECK_FALSE(victim.fired);
  CHECK(timers.disarm(tick));
}

TEST_CASE("timer_service: a callback may destroy its node") {
  timer_service timers{timer_service::stepped};
  struct owned : timer_node {
    explicit owned(bool& gone) : gone_{gone} {
      fire = [](timer_node& node) noexcept { delete &static_cast<owned&>(node); };
    }
    ~owned() { gone_ = true; }
    bool& gone_;
  };
  bool gone = false;
  timers.arm(*new owned{gone}, time_point{1s}, 0);
  CHECK(timers.run_due(time_point{1s}) == 1);
  CHECK(gone);
}

TEST_CASE("timer_service: stepped random use agrees with a multimap") {
  const auto seed = support::test_seed();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  timer_service timers{timer_service::stepped};
  std::vector<noted*> log;
  std::vector<noted> nodes(200, noted{&log});
  std::multimap<time_point, noted*> model;
  time_point now{};
  for (int step = 0; step < 20'000; ++step) {
    CAPTURE(step);
    auto& node = nodes[random() % nodes.size()];
    if (random() % 10 == 0) {
      now += std::chrono::nanoseconds{random() % 5};
      log.clear();
      std::vector<noted*> wanted;
      for (; !model.empty() && model.begin()->first <= now; model.erase(model.begin()))
        wanted.push_back(model.begin()->second);
      REQUIRE(timers.run_due(now) == wanted.size());
      REQUIRE(log == wanted);
    } else if (node.index == timer_node::unlinked) {
      const auto at = now + std::chrono::nanoseconds{random() % 40};
      timers.arm(node, at, static_cast<unsigned>(random()));
      model.emplace(at, &node);
    } else {
      REQUIRE(timers.disarm(node));
      REQUIRE(std::erase_if(model, [&](auto& e) { return e.second == &node; }) == 1);
    }
    REQUIRE(timers.next_deadline() == (model.empty() ? time_point::max() : model.begin()->first));
  }
}

TEST_CASE("timer_service: threaded timers fire though armed in any order and never early") {
  threaded t;
  std::vector<awaited> nodes(300);
  const auto start = t.clock->now();
  for (unsigned i = 0; i < nodes.size(); ++i) // each third is earlier than all before it
    t.timers.arm(nodes[i], start + (i % 3 == 0 ? 30ms - i * 100us : i * 100us), i);
  for (auto& n : nodes) {
    n.wait();
    CHECK(n.fired_at >= n.at);
  }
  CHECK(t.timers.size() == 0);
}

TEST_CASE("timer_service: an earlier deadline wakes the thread from its sleep") {
  threaded t;
  noted late;
  t.timers.arm(late, t.clock->now() + 1h, 0);
  for (int i = 0; i < 50; ++i) { // in most rounds the thread is asleep again, until in an hour
    awaited soon;
    t.timers.arm(soon, t.clock->now(), static_cast<unsigned>(i));
    soon.wait();
  }
  CHECK(t.timers.disarm(late));
  CHECK_FALSE(late.fired);
}

TEST_CASE("timer_service: a deadline behind one that was taken back is not forgotten") {
  threaded t;
  for (int i = 0; i < 50; ++i) {
    awaited first;
    awaited second;
    const auto now = t.clock->now();
    t.timers.arm(first, now + 1h, 0);
    t.timers.arm(second, now + 1ms, 0);
    CHECK(t.timers.disarm(first));
    t.timers.arm(first, now + 2ms, 1);
    if (!t.timers.disarm(second))
      second.wait();
    first.wait();
  }
}

TEST_CASE("timer_service: a timer armed behind the thread's pass is not slept through") {
  // The thread wakes at a deadline that has been taken back, finds nothing, and is about to sleep for ever. A sweep
  // over the moments at which another timer may be armed meanwhile, later than the deadline that the thread woke for.
  const auto clock = troupe::production_clock();
  timer_service timers{*clock, *troupe::production_threads(), 1'000}; // so many make the pass long: some 25 us
  const auto pause_until = [&](time_point t) {
    while (clock->now() < t) {
    }
  };
  for (int i = 0; i < 600; ++i) {
    noted gone;
    awaited next;
    const auto start = clock->now();
    const auto deadline = start + 400us;
    timers.arm(gone, deadline, 0);
    pause_until(start + 200us);
    timers.disarm(gone);
    pause_until(deadline + i % 150 * 1us);
    timers.arm(next, clock->now(), 0);
    next.wait(); // hangs if the thread sleeps
    CHECK(next.fired_at >= next.at);
  }
}

TEST_CASE("timer_service: a timer taken back in time does not fire") {
  threaded t;
  std::vector<noted> nodes(1'000);
  for (unsigned i = 0; i < nodes.size(); ++i)
    t.timers.arm(nodes[i], t.clock->now() + 1h, i);
  for (auto& n : nodes)
    CHECK(t.timers.disarm(n));
  t.timers.stop();
  for (auto& n : nodes)
    CHECK_FALSE(n.fired);
}

TEST_CASE("timer_service: stop leaves armed timers alone and new ones unfired") {
  threaded t;
  noted before;
  noted after;
  t.timers.arm(before, t.clock->now() + 1h, 0);
  t.timers.stop();
  t.timers.stop();
  t.timers.arm(after, t.clock->now() - 1h, 1);
  CHECK(t.timers.size() == 2);
  CHECK(t.timers.disarm(before));
  CHECK(t.timers.disarm(after));
  CHECK_FALSE(before.fired);
  CHECK_FALSE(after.fired);
}

TEST_CASE("timer_service: a thread that cannot be started is an error of the constructor") {
  struct no_threads final : troupe::thread_factory {
    std::jthread start(std::string, std::function<void()>) override {
      throw std::system_error{std::make_error_code(std::errc::resource_unavailable_try_again)};
    }
  } threads;
  const auto clock = troupe::production_clock();
  CHECK_THROWS_AS((timer_service{*clock, threads, 1}), std::system_error);
}
