// SPDX-License-Identifier: BSD-3-Clause
// Claim: the books balance after every single turn of every path that supervision takes, and close when all has ended.
// Observed: a stepped system; after each step the books of every actor, of every supervisor and of the system.
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;

namespace {

struct work {};
struct crash {};
struct finish {};
struct query {
  using reply = int;
};
struct forward { // asks another actor, and is suspended meanwhile
  using reply = int;
};

struct orders {
  int starts_to_fail = 0;
};

class worker : public actor<worker, work, crash, finish, query, forward> {
public:
  worker(std::shared_ptr<orders> o, any_ref peer) : orders_{std::move(o)}, peer_{std::move(peer)} {
    if (orders_->starts_to_fail > 0) {
      --orders_->starts_to_fail;
      throw std::runtime_error{"no start"};
    }
  }
  void on(const work&) {}
  void on(const crash&) { throw std::runtime_error{"crash"}; }
  void on(const finish&) { stop(); }
  int on(const query&) { return 1; }
  task<int> on(const forward&) {
    if (!peer_)
      co_return 0;
    auto answer = ref<worker>{*peer_.pointer()}.ask(query{}, 3s);
    const int n = co_await answer;
    co_return n;
  }

private:
  const std::shared_ptr<orders> orders_;
  const any_ref peer_;
};

/// Runs a system turn by turn and looks at the books after each.
struct auditor {
  explicit auditor(std::uint64_t seed, std::size_t quarantine = 1'000)
      : sys{system_options{.quarantine_capacity = quarantine,
                           .through = {.clock = std::make_shared<manual_clock>()},
                           .stepped = seed}} {}

  void audit() {
    ledger sum;
    for (const auto& s : supervisors)
      balanced = balanced && s.books().balanced();
    for (const auto& w : workers) {
      const auto b = w.books();
      balanced = balanced && b.balanced() && b.queued < 1'000'000;
      sum += b;
    }
    // Every worker is in the tree or among those that have gone, and counted once. What a stopped one refuses is its own.
    auto all = sys.books();
    all.refused = sum.refused = 0;
    complete = complete && all == sum;
    ++audits;
  }

  void settle() {
    audit();
    while (sys.step())
      audit();
  }

  /// `advance` runs many turns at once, so time moves in small steps.
  void pass(std::chrono::milliseconds time) {
    settle();
    for (auto end = sys.now() + time; sys.now() < end;) {
      sys.advance(10ms);
      audit();
      settle();
    }
  }

  ref<worker> start(const supervisor& s, child_options o = {}, any_ref peer = {}) {
    workers.push_back(s.start<worker>("", o, told, std::move(peer)));
    return workers.back();
  }
  supervisor supervise(const supervisor_options& o) {
    supervisors.push_back(supervisors.empty() ? sys.supervise("top", o) : supervisors.back().supervise("inner", o));
    return supervisors.back();
  }

  bool balanced = true;
  bool complete = true;
  std::size_t audits = 0;
  std::shared_ptr<orders> told = std::make_shared<orders>();
  std::vector<ref<worker>> workers;
  std::vector<supervisor> supervisors;
  troupe::system sys;
};

/// Runs `scenario` under many orders of turns, stops everything, and checks the books to the end.
void audited(const std::function<void(auditor&)>& scenario, std::size_t quarantine = 1'000) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    auditor a{seed, quarantine};
    scenario(a);
    a.pass(5s);
    for (const auto& s : a.supervisors)
      s.stop();
    a.settle();
    CHECK(a.balanced);
    CHECK(a.complete);
    CHECK(a.audits > 10);
    for (const auto& w : a.workers) {
      CHECK(w.has_stopped());
      CHECK(w.books().queued == 0);
    }
    CHECK(a.sys.books().queued == 0);
    CHECK(a.sys.shutdown().unaccounted == 0);
  }
}

constexpr backoff_options waiting{.min = 50ms, .max = 400ms, .jitter = 0.5, .immediate_first = false};

void send_mix(const ref<worker>& w) {
  w.tell(work{});
  w.tell(crash{});
  w.tell(work{});
}

} // namespace

TEST_CASE("accounting: restarts of each strategy with retries and quarantine") {
  for (auto how : {one_for_one, one_for_all, rest_for_one, dynamic})
    for (unsigned retries : {0u, 1u, 3u})
      audited([=](auditor& a) {
        auto top =
            a.supervise({.strategy = how, .intensity = unlimited, .group_intensity = unlimited, .backoff = waiting});
        for (int i = 0; i < 3; ++i)
          a.start(top, {.retries = retries});
        for (const auto& w : a.workers)
          send_mix(w);
        a.settle();
        send_mix(a.workers[1]);
      });
}

TEST_CASE("accounting: a quarantine without room") {
  audited(
      [](auditor& a) {
        auto top = a.supervise({.intensity = unlimited, .group_intensity = unlimited, .backoff = waiting});
        auto w = a.start(top);
        for (int i = 0; i < 3; ++i)
          send_mix(w);
      },
      1);
}

TEST_CASE("accounting: constructors that throw at restarts and at group restarts") {
  for (auto how : {one_for_one, one_for_all})
    audited([=](auditor& a) {
      auto top =
          a.supervise({.strategy = how, .intensity = unlimited, .group_intensity = unlimited, .backoff = waiting});
      a.start(top, {.retries = 1});
      a.start(top);
      a.told->starts_to_fail = 3;
      for (const auto& w : a.workers)
        send_mix(w);
    });
}

TEST_CASE("accounting: suspended handlers of an incarnation that ends") {
  audited([](auditor& a) {
    auto top = a.supervise({.strategy = one_for_one, .backoff = waiting});
    auto busy = a.start(top);
    auto asker = a.start(top, {}, busy);
    busy.tell(crash{}); // down for a while, so that the askers wait
    a.settle();
    for (int i = 0; i < 3; ++i)
      asker.tell(forward{});
    a.settle();
    asker.tell(crash{});
    a.pass(200ms);
    asker.tell(forward{});
    asker.tell(finish{});
  });
}

TEST_CASE("accounting: resume and stop by exception class") {
  for (auto action : {failure_action::resume, failure_action::stop, failure_action::escalate})
    audited([=](auditor& a) {
      a.supervise({.backoff = waiting});
      auto inner = a.supervise({.backoff = waiting, .on_failure = decide_by<std::runtime_error>(action)});
      for (int i = 0; i < 2; ++i)
        send_mix(a.start(inner));
    });
}

TEST_CASE("accounting: stop and kill and drain in back-off and in the middle of work") {
  for (int way = 0; way < 3; ++way)
    audited([=](auditor& a) {
      auto top = a.supervise({.backoff = waiting});
      for (int i = 0; i < 3; ++i)
        a.start(top);
      send_mix(a.workers[0]);
      a.settle();
      for (const auto& w : a.workers) {
        send_mix(w);
        switch (way) {
          case 0: w.stop(); break;
          case 1: w.kill(); break;
          default: w.drain(); break;
        }
        w.tell(work{});
      }
    });
}

TEST_CASE("accounting: mailboxes of every overflow policy that fill up during back-off") {
  for (auto policy : {reject, drop_newest, drop_oldest})
    audited([=](auditor& a) {
      auto top = a.supervise({.backoff = waiting});
      auto w = a.start(top, {.mailbox = {.capacity = 2, .overflow = policy}});
      w.tell(crash{});
      a.settle();
      for (int i = 0; i < 5; ++i) {
        w.tell(work{});
        a.audit();
      }
    });
}

TEST_CASE("accounting: escalations through nested supervisors") {
  for (auto how : {one_for_one, one_for_all})
    audited([=](auditor& a) {
      for (int level = 0; level < 3; ++level) {
        auto s = a.supervise({.strategy = how, .intensity = 1, .group_intensity = 2, .backoff = waiting});
        a.start(s, {.restart = level == 1 ? temporary : permanent});
        a.start(s);
      }
      for (int round = 0; round < 4; ++round) {
        for (const auto& w : a.workers)
          send_mix(w);
        a.pass(50ms);
      }
    });
}

TEST_CASE("accounting: a replay counts as a new message") {
  audited([](auditor& a) {
    auto top = a.supervise({.backoff = waiting});
    send_mix(a.start(top));
    a.pass(100ms);
    for (const auto& q : a.sys.quarantine().list())
      CHECK(a.sys.quarantine().replay(q.id));
    a.settle();
  });
}
