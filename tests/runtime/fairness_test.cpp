// SPDX-License-Identifier: BSD-3-Clause
// Claims: how long an actor with a message waits while others never run out of theirs, and that stop is served under any
// load. Observed: how many messages the others have handled meanwhile, on one worker. What comes from outside comes while
// a handler waits for it, so nothing depends on time.
#include <troupe/system.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;

namespace {

constexpr std::uint64_t turn_messages = 128; // the default
constexpr std::uint64_t hot_turns = 64;      // scheduler_options::hot_turns_max
constexpr std::uint64_t injector_turns = 61; // scheduler_options::injector_interval

/// What the actors of one case share. Plain members: one worker.
struct scene {
  std::uint64_t handled = 0;      // messages of those who flood
  std::uint64_t longest_wait = 0; // of a visitor, in such messages
  std::uint64_t visits = 0;
  std::atomic<bool> over{false};
  std::function<void()> at_turn_of_events{}; // called by a handler, once, when enough is going on
};

/// A thread outside that acts while a handler waits for it.
class outsider {
public:
  explicit outsider(std::function<void()> act)
      : thread_{[this, act = std::move(act)] {
          asked_.wait(false);
          act();
          done_.store(true);
          done_.notify_one();
        }} {}
  ~outsider() { // a case that failed before it asked
    asked_.store(true);
    asked_.notify_one();
  }
  void let_act() {
    asked_.store(true);
    asked_.notify_one();
    done_.wait(false);
  }

private:
  std::atomic<bool> asked_{false};
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

struct visit {
  std::uint64_t sent; // scene::handled at that time
};

class visitor : public actor<visitor, visit> {
public:
  explicit visitor(scene* shared) : scene_{shared} {}
  void on(const visit& v) {
    scene_->longest_wait = std::max(scene_->longest_wait, scene_->handled - v.sent);
    ++scene_->visits;
  }

private:
  scene* scene_;
};

struct go {};
struct guests {
  std::vector<ref<visitor>> all;
};

/// Never runs out of messages of its own, and writes to its guests now and then.
class flooder : public actor<flooder, go, guests> {
public:
  explicit flooder(scene* shared, std::uint64_t end) : scene_{shared}, end_{end} {}
  void on(const guests& g) { guests_ = g.all; }
  void on(const go&) {
    ++scene_->handled;
    if (scene_->handled >= end_) {
      scene_->over.store(true);
      scene_->over.notify_one();
      return;
    }
    self().tell(go{});
    if (++own_ % 1'009 == 1)
      for (auto& v : guests_)
        v.tell(visit{scene_->handled});
    if (own_ == 5'000 && scene_->at_turn_of_events)
      std::exchange(scene_->at_turn_of_events, {})();
  }

private:
  scene* scene_;
  std::uint64_t end_;
  std::uint64_t own_ = 0;
  std::vector<ref<visitor>> guests_;
};

class player;
struct ball {};
struct partner {
  ref<player> who;
};

/// Two of them keep the slot for the hot partner full; the first writes to its guests now and then.
class player : public actor<player, ball, partner, guests> {
public:
  explicit player(scene* shared, std::uint64_t end) : scene_{shared}, end_{end} {}
  void on(const partner& p) { partner_ = p.who; }
  void on(const guests& g) { guests_ = g.all; }
  void on(const ball&) {
    ++scene_->handled;
    if (scene_->handled >= end_) {
      scene_->over.store(true);
      scene_->over.notify_one();
      return;
    }
    if (++own_ % 1'009 == 1)
      for (auto& v : guests_)
        v.tell(visit{scene_->handled});
    partner_.tell(ball{});
    if (own_ == 5'000 && scene_->at_turn_of_events)
      std::exchange(scene_->at_turn_of_events, {})();
  }

private:
  scene* scene_;
  std::uint64_t end_;
  std::uint64_t own_ = 0;
  ref<player> partner_;
  std::vector<ref<visitor>> guests_;
};

/// Turns end by the number of messages alone.
system_options one_worker() { return {.workers = 1, .turn_time = 1h}; }

std::vector<ref<visitor>> visitors(troupe::system& sys, scene& shared, int n) {
  std::vector<ref<visitor>> all;
  for (int i = 0; i < n; ++i)
    all.push_back(sys.spawn<visitor>(&shared));
  return all;
}

void play(troupe::system& sys, scene& shared, std::uint64_t messages, const std::vector<ref<visitor>>& guest_list) {
  auto a = sys.spawn<player>(&shared, messages);
  auto b = sys.spawn<player>(&shared, messages);
  b.tell(partner{a});
  a.tell(guests{guest_list});
  a.tell(partner{b});
  a.tell(ball{});
  shared.over.wait(false);
}

} // namespace

TEST_CASE("fairness: an actor waits one turn at most while another floods itself") {
  scene shared;
  troupe::system sys{one_worker()};
  const auto guest_list = visitors(sys, shared, 1);
  auto f = sys.spawn<flooder>(&shared, 50'000);
  f.tell(guests{guest_list});
  f.tell(go{});
  shared.over.wait(false);
  (void)sys.shutdown();
  CHECK(shared.visits == 50);
  CHECK(shared.longest_wait <= turn_messages);
  CHECK(shared.longest_wait > 0);
}

TEST_CASE("fairness: an actor waits one turn of each at most while several flood themselves") {
  constexpr std::uint64_t flooders = 5;
  scene shared;
  troupe::system sys{one_worker()};
  const auto guest_list = visitors(sys, shared, 3);
  for (std::uint64_t i = 0; i < flooders; ++i) {
    auto f = sys.spawn<flooder>(&shared, 100'000);
    f.tell(guests{guest_list});
    f.tell(go{});
  }
  shared.over.wait(false);
  (void)sys.shutdown();
  CHECK(shared.visits > 200);
  CHECK(shared.longest_wait <= turn_messages * flooders);
}

TEST_CASE("fairness: a pair of hot partners lets the queue go first after its share of turns") {
  scene shared;
  troupe::system sys{one_worker()};
  play(sys, shared, 50'000, visitors(sys, shared, 4));
  (void)sys.shutdown();
  CHECK(shared.visits > 90);
  CHECK(shared.longest_wait <= hot_turns + 1);
  CHECK(shared.longest_wait > 0);
}

TEST_CASE("fairness: what comes from outside is served within a number of turns while a pair keeps the worker busy") {
  scene shared;
  troupe::system sys{one_worker()};
  auto guest = sys.spawn<visitor>(&shared);
  outsider thread{[&] { guest.tell(visit{shared.handled}); }};
  shared.at_turn_of_events = [&] { thread.let_act(); };
  play(sys, shared, 50'000, {});
  (void)sys.shutdown();
  CHECK(shared.visits == 1);
  CHECK(shared.longest_wait <= injector_turns);
}

TEST_CASE("fairness: what comes from outside is served within a number of turns while an actor floods itself") {
  scene shared;
  troupe::system sys{one_worker()};
  auto guest = sys.spawn<visitor>(&shared);
  outsider thread{[&] { guest.tell(visit{shared.handled}); }};
  shared.at_turn_of_events = [&] { thread.let_act(); };
  auto f = sys.spawn<flooder>(&shared, 50'000);
  f.tell(go{});
  shared.over.wait(false);
  (void)sys.shutdown();
  CHECK(shared.visits == 1);
  CHECK(shared.longest_wait <= injector_turns * turn_messages);
}

TEST_CASE("fairness: a stop is served before the next message however many wait") {
  struct burst {
    std::uint64_t number;
  };
  class busy : public actor<busy, burst> {
  public:
    busy(std::uint64_t* last, outsider* stopper) : last_{last}, stopper_{stopper} {}
    void on(const burst& b) {
      *last_ = b.number;
      if (b.number == 100) // in the middle of a turn, with everything else waiting
        stopper_->let_act();
    }

  private:
    std::uint64_t* last_;
    outsider* stopper_;
  };
  std::uint64_t last = 0;
  ref<busy> target;
  outsider stopper{[&] { target.stop(); }};
  troupe::system sys{one_worker()};
  target = sys.spawn<busy>(&last, &stopper);
  // A gate keeps the only worker until the mailbox is full.
  class keeper : public actor<keeper, go> {
  public:
    explicit keeper(std::atomic<int>* gate) : gate_{gate} {}
    void on(const go&) {
      gate_->store(1);
      gate_->notify_one();
      gate_->wait(1);
    }

  private:
    std::atomic<int>* gate_;
  };
  std::atomic<int> gate{0};
  sys.spawn<keeper>(&gate).tell(go{});
  gate.wait(0);
  std::uint64_t number = 0;
  while (target.tell(burst{++number}) == delivery::accepted)
    ;
  CHECK(number == 10'001); // the default capacity is full: the lane of stop has room
  gate.store(2);
  gate.notify_one();
  REQUIRE(sys.wait_stopped(target, 20s));
  CHECK(last == 100);
  CHECK(sys.books().balanced());
}

TEST_CASE("fairness: a stop reaches an actor that never runs out of messages of its own") {
  scene shared;
  troupe::system sys{one_worker()};
  ref<flooder> f;
  std::uint64_t handled_then = 0;
  outsider stopper{[&] {
    handled_then = shared.handled;
    f.stop();
  }};
  shared.at_turn_of_events = [&] { stopper.let_act(); };
  f = sys.spawn<flooder>(&shared, ~std::uint64_t{0});
  f.tell(go{});
  REQUIRE(sys.wait_stopped(f, 20s));
  CHECK(shared.handled == handled_then);
}

TEST_CASE("fairness: what a long handler has queued behind itself runs on another worker meanwhile") {
  class member : public actor<member, go> {
  public:
    explicit member(std::atomic<int>* arrived) : arrived_{arrived} {}
    void on(const go&) {
      arrived_->fetch_add(1);
      arrived_->notify_one();
    }

  private:
    std::atomic<int>* arrived_;
  };
  class stuck : public actor<stuck, go> {
  public:
    stuck(std::vector<ref<member>> crowd, std::atomic<int>* arrived) : crowd_{std::move(crowd)}, arrived_{arrived} {}
    void on(const go&) {
      for (auto& m : crowd_)
        m.tell(go{}); // the last one into the slot for the hot partner, the others into the queue
      for (auto n = arrived_->load(); n != static_cast<int>(crowd_.size()); n = arrived_->load())
        arrived_->wait(n); // for ever, if they need this worker
    }

  private:
    std::vector<ref<member>> crowd_;
    std::atomic<int>* arrived_;
  };
  for (const std::size_t size : {1u, 2u, 40u, 600u}) { // 600: more than a run queue holds
    CAPTURE(size);
    std::atomic<int> arrived{0};
    troupe::system sys{{.workers = 2}};
    std::vector<ref<member>> crowd;
    for (std::size_t i = 0; i < size; ++i)
      crowd.push_back(sys.spawn<member>(&arrived));
    auto s = sys.spawn<stuck>(crowd, &arrived);
    s.tell(go{});
    s.drain();
    CHECK(sys.wait_stopped(s, 20s));
    CHECK(arrived.load() == static_cast<int>(size));
  }
}
