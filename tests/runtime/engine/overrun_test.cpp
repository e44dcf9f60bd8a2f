// SPDX-License-Identifier: BSD-3-Clause
// Claims: a handler that exceeds its time budget is noticed while it runs; what follows is as the options say; a replaced
// one can do no harm to its successor, and its worker is compensated for.
// Observed: on real threads with gates that hold handlers, each wait limited; the late notice in a stepped system.
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include "support/eventually.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using kind = supervision_event::kind;

namespace {

struct gate {
  std::atomic<int> inside{0};
  std::atomic<bool> open{false};
  std::atomic<int> alive{0}; // objects
  std::atomic<int> touches_refused{0};
  std::atomic<int> resumed{0};
  const std::shared_ptr<int> token = std::make_shared<int>(); // in messages

  void pass() {
    ++inside;
    inside.notify_all();
    open.wait(false);
  }
  void let_go() {
    open = true;
    open.notify_all();
  }
};

struct hang {
  using reply = int;
};
struct touch {}; // hangs, and then uses all that belongs to the turn
struct query {
  using reply = int;
};
struct late_hang {}; // hangs after a co_await
struct wait_for {    // waits for a reply, and then changes the object
  using reply = int;
  ref<class answerer> whom;
};
struct note {
  std::shared_ptr<int> token{};
};

/// Answers when its gate lets it.
class answerer : public actor<answerer, query> {
public:
  explicit answerer(std::shared_ptr<gate> g) : gate_{std::move(g)} {}
  int on(const query&) {
    gate_->pass();
    return 1;
  }

private:
  const std::shared_ptr<gate> gate_;
};

class sleeper : public actor<sleeper, hang, touch, query, late_hang, wait_for, note> {
public:
  explicit sleeper(std::shared_ptr<gate> g) : gate_{std::move(g)} {
    ++gate_->alive;
    keeper_ = every(1h, note{});
  }
  ~sleeper() { --gate_->alive; }

  int on(const hang&) {
    ++handled_;
    gate_->pass();
    return 1;
  }
  void on(const touch&) {
    gate_->pass();
    keeper_.cancel();
    cancel_timer("none");
    stop();
    const auto refused = [&](auto use) {
      try {
        use();
      } catch (const usage_error&) {
        ++gate_->touches_refused;
      }
    };
    refused([&] { after(1s, note{gate_->token}); });
    refused([&] { (void)self().ask(query{}); });
    throw std::runtime_error{"too late"};
  }
  task<void> on(const late_hang&) {
    (void)co_await pause();
    gate_->pass();
  }
  task<int> on(const wait_for& m) {
    auto answer = m.whom.ask(query{}, 1h);
    (void)co_await answer;
    ++gate_->resumed;
    co_return ++handled_;
  }
  int on(const query&) { return ++handled_; }
  void on(const note&) {}

private:
  task<int> pause() {
    auto answer = blocking([] { return 1; });
    co_return co_await answer;
  }

  const std::shared_ptr<gate> gate_;
  timer keeper_;
  int handled_ = 0;
};

struct fail {};

/// Hangs in its constructor when it is restarted.
class slow_to_return : public actor<slow_to_return, fail, query> {
public:
  explicit slow_to_return(std::shared_ptr<gate> g) {
    if (incarnation() != 0)
      g->pass();
  }
  void on(const fail&) { throw std::runtime_error{"fail"}; }
  int on(const query&) const { return 7; }
};

struct watched_system {
  explicit watched_system(system_options o) : sys{std::move(o)} {
    listening = sys.events().subscribe([this](const event& e) {
      if (const auto* s = std::get_if<supervision_event>(&e)) {
        const std::scoped_lock guard{mutex};
        events.push_back(*s);
      }
    });
  }
  ~watched_system() { g->let_go(); }

  std::size_t count(kind k) {
    const std::scoped_lock guard{mutex};
    return static_cast<std::size_t>(std::ranges::count(events, k, &supervision_event::what));
  }

  std::shared_ptr<gate> g = std::make_shared<gate>();
  std::mutex mutex;
  std::vector<supervision_event> events;
  troupe::system sys;
  event_stream::subscription listening;
};

const supervisor_options patient{.intensity = unlimited, .group_intensity = unlimited};

child_options budget_of(std::chrono::milliseconds time, overrun_action action) {
  child_options o;
  o.handler_budget = time;
  o.on_overrun = action;
  o.flight_recorder = 4;
  return o;
}

} // namespace

TEST_CASE("overrun: a handler is reported once while it runs and goes on") {
  watched_system w{{.workers = 2}};
  auto top = w.sys.supervise("top", patient);
  auto a = top.start<sleeper>("a", budget_of(50ms, overrun_action::report), w.g);
  auto asked = a.ask(hang{});
  REQUIRE(support::eventually([&] { return w.count(kind::overran) == 1; }));
  CHECK(w.g->inside == 1);
  std::this_thread::sleep_for(150ms); // no second report comes: cannot be waited for
  w.g->let_go();
  CHECK(std::move(asked).get() == 1);
  CHECK(a.ask(query{}).get() == 2);
  CHECK(w.count(kind::overran) == 1);
  CHECK(a.incarnation() == 0);
}

TEST_CASE("overrun: the system's default applies where a child names none and none is none") {
  watched_system w{{.workers = 2, .handler_budget = 50ms}};
  auto top = w.sys.supervise("top", patient);
  auto free = std::make_shared<gate>();
  auto unlimited_one = top.start<sleeper>("free", {.handler_budget = 0ms}, free);
  auto a = top.start<sleeper>("a", w.g);
  (void)unlimited_one.ask(hang{});
  REQUIRE(support::eventually([&] { return free->inside == 1; }));
  (void)a.ask(hang{});
  REQUIRE(support::eventually([&] { return w.count(kind::overran) == 1; }));
  const std::scoped_lock guard{w.mutex};
  CHECK(std::ranges::find(w.events, kind::overran, &supervision_event::what)->child == "top/a");
  free->let_go();
}

TEST_CASE("overrun: what follows a co_await is timed too") {
  watched_system w{{.workers = 2}};
  auto top = w.sys.supervise("top", patient);
  auto a = top.start<sleeper>("a", budget_of(50ms, overrun_action::replace), w.g);
  a.tell(late_hang{});
  REQUIRE(support::eventually([&] { return w.count(kind::overran) == 1; }));
  w.g->let_go();
  CHECK(a.ask(query{}).get() == 1);
  CHECK(a.incarnation() == 0); // it cannot be replaced there
}

TEST_CASE("overrun: a replaced actor goes on at once behind the same ref though every worker was stuck") {
  for (const unsigned workers : {1u, 2u}) {
    CAPTURE(workers);
    watched_system w{{.workers = workers}};
    auto top = w.sys.supervise("top", patient);
    auto a = top.start<sleeper>("a", budget_of(50ms, overrun_action::replace), w.g);
    auto asked = a.ask(hang{});
    auto waiting = a.ask(query{});
    CHECK(std::move(waiting).get() == 1); // a fresh object
    CHECK(std::move(asked).try_get().error().code == errc::failed);
    CHECK(a.incarnation() == 1);
    CHECK(w.g->alive == 2);
    CHECK(w.count(kind::replaced) == 1);
    CHECK(w.count(kind::returned) == 0);
    w.g->let_go();
    CHECK(support::eventually([&] { return w.g->alive == 1; }));
    CHECK(w.count(kind::returned) == 1);
    CHECK(a.ask(query{}).get() == 2);
    CHECK(w.sys.late_replies() == 1); // the discarded result
    const auto report = w.sys.shutdown();
    CHECK(report.complete);
    CHECK(report.unaccounted == 0);
    CHECK(report.books.balanced());
    CHECK(report.books.dropped == 1);
    CHECK(w.g->alive == 0);
  }
}

TEST_CASE("overrun: an actor may be replaced again and again within the spare workers and its budget") {
  watched_system w{{.workers = 1, .spare_workers = 3}};
  auto top = w.sys.supervise("top", patient);
  auto child = budget_of(50ms, overrun_action::replace);
  child.backoff = backoff_options{.min = 1us, .max = 1us};
  auto a = top.start<sleeper>("a", child, w.g);
  for (int i = 1; i <= 3; ++i) {
    (void)a.ask(hang{});
    CHECK(a.ask(query{}).get() == 1);
    CHECK(a.incarnation() == static_cast<std::uint32_t>(i));
  }
  CHECK(w.g->alive == 4);
  w.g->let_go();
  CHECK(support::eventually([&] { return w.g->alive == 1; }));
  // The seats are free again.
  CHECK(support::eventually([&] { return w.count(kind::returned) == 3; }));
  w.g->open = false;
  (void)a.ask(hang{});
  CHECK(a.ask(query{}).get() == 1);
  CHECK(a.incarnation() == 4);
  w.g->let_go();
  CHECK(w.sys.shutdown().complete);
}

TEST_CASE("overrun: a replaced handler cannot touch what belongs to its successor") {
  watched_system w{{.workers = 2}};
  auto top = w.sys.supervise("top", patient);
  auto a = top.start<sleeper>("a", budget_of(50ms, overrun_action::replace), w.g);
  a.tell(touch{});
  CHECK(a.ask(query{}).get() == 1);
  w.g->let_go();
  CHECK(support::eventually([&] { return w.count(kind::returned) == 1; }));
  CHECK(w.g->touches_refused == 2);
  CHECK(w.g->token.use_count() == 1); // nothing is left of the timer that was refused
  CHECK(support::eventually([&] { return w.g->alive == 1; }));
  CHECK(a.ask(query{}).get() == 2); // not stopped, by nobody
  CHECK(a.incarnation() == 1);
  const auto books = a.books();
  CHECK(books.balanced());
  CHECK(books.dropped == 1);
}

TEST_CASE("overrun: a stop and a kill end an actor whose old handler still runs and the shutdown reports that") {
  auto g = std::make_shared<gate>();
  {
    watched_system w{{.workers = 1}};
    auto top = w.sys.supervise("top", patient);
    auto a = top.start<sleeper>("a", budget_of(50ms, overrun_action::replace), g);
    (void)a.ask(hang{});
    CHECK(a.ask(query{}).get() == 1);
    a.stop();
    CHECK(w.sys.wait_stopped(a, 10s));
    CHECK(g->alive == 1);
    const auto report = w.sys.shutdown(2s);
    CHECK_FALSE(report.complete);
    REQUIRE(report.survivors.size() == 1);
    CHECK(report.survivors[0].name == "top/a (replaced)");
    CHECK(report.books.balanced());
    CHECK(report.unaccounted == 0);
  } // the system goes although the handler runs: what it may touch outlives it
  CHECK(g->alive == 1);
  g->let_go();
  CHECK(support::eventually([&] { return g->alive == 0; }));
}

TEST_CASE("overrun: a stop that came while the handler was stuck does not end the object under it") {
  watched_system w{{.workers = 2}};
  auto top = w.sys.supervise("top", patient);
  auto a = top.start<sleeper>("a", budget_of(200ms, overrun_action::replace), w.g);
  auto asked = a.ask(hang{});
  REQUIRE(support::eventually([&] { return w.g->inside == 1; }));
  a.stop();
  CHECK(std::move(asked).try_get().error().code == errc::failed); // replaced
  CHECK(w.sys.wait_stopped(a, 10s));
  CHECK(w.g->alive == 1); // the one that the handler is in
  w.g->let_go();
  CHECK(support::eventually([&] { return w.g->alive == 0; }));
  const auto report = w.sys.shutdown();
  CHECK(report.complete);
  CHECK(report.unaccounted == 0);
  CHECK(report.books.balanced());
}

TEST_CASE("overrun: a reply that came while the handler was stuck does not go on beside it") {
  watched_system w{{.workers = 3}};
  auto top = w.sys.supervise("top", patient);
  auto other_gate = std::make_shared<gate>();
  auto other = top.start<answerer>("other", other_gate);
  auto a = top.start<sleeper>("a", budget_of(200ms, overrun_action::replace), w.g);
  auto waiting = a.ask(wait_for{other});
  REQUIRE(support::eventually([&] { return other_gate->inside == 1; }));
  auto asked = a.ask(hang{});
  REQUIRE(support::eventually([&] { return w.g->inside == 1; }));
  other_gate->let_go();
  CHECK(other.ask(query{}).get() == 1); // so its first reply is under way
  CHECK(std::move(asked).try_get().error().code == errc::failed);
  CHECK(a.ask(query{}).get() == 1); // a fresh object
  CHECK(std::move(waiting).try_get().error().code == errc::restarted);
  CHECK(w.g->resumed == 0);
  w.g->let_go();
  CHECK(w.sys.shutdown().complete);
}

TEST_CASE("overrun: a shutdown says since when a handler on a spare worker runs") {
  auto other_gate = std::make_shared<gate>();
  watched_system w{{.workers = 1, .spare_workers = 1}};
  auto top = w.sys.supervise("top", patient);
  auto a = top.start<sleeper>("a", budget_of(50ms, overrun_action::replace), w.g);
  auto b = top.start<sleeper>("b", other_gate);
  (void)a.ask(hang{});
  REQUIRE(support::eventually([&] { return w.g->inside == 1; }));
  (void)b.ask(hang{});
  REQUIRE(support::eventually([&] { return other_gate->inside == 1; }));
  const auto report = w.sys.shutdown(500ms);
  const auto found = std::ranges::find(report.survivors, "top/b", &survivor::name);
  REQUIRE(found != report.survivors.end());
  CHECK(found->since > 100ms);
  other_gate->let_go();
}

TEST_CASE("overrun: a replacement is charged like a restart and beyond the budget the failure goes up") {
  watched_system w{{.workers = 1}};
  auto top = w.sys.supervise("top", patient);
  auto inner = top.supervise("inner", {.intensity = 0});
  auto a = inner.start<sleeper>("a", budget_of(50ms, overrun_action::replace), w.g);
  auto b = inner.start<sleeper>("b", std::make_shared<gate>());
  (void)a.ask(hang{});
  REQUIRE(support::eventually([&] { return w.count(kind::escalated) == 1; }));
  CHECK(a.ask(query{}).get() == 1);
  CHECK(b.ask(query{}).get() == 1);
  CHECK(b.incarnation() == 1);
}

TEST_CASE("overrun: escalation fails the supervisor though the handler still runs") {
  watched_system w{{.workers = 2}};
  auto top = w.sys.supervise("top", patient);
  auto inner = top.supervise("inner", patient);
  auto o = budget_of(50ms, overrun_action::escalate);
  o.shutdown = 10ms;
  auto a = inner.start<sleeper>("a", o, w.g);
  auto b = inner.start<sleeper>("b", std::make_shared<gate>());
  (void)a.ask(hang{});
  REQUIRE(support::eventually([&] { return w.count(kind::escalated) == 1; }));
  CHECK(support::eventually([&] { return b.incarnation() == 1; }));
  w.g->let_go();
  CHECK(a.ask(query{}).get() == 1);
}

TEST_CASE("overrun: what follows a co_await escalates where the options say so") {
  watched_system w{{.workers = 2}};
  auto top = w.sys.supervise("top", patient);
  auto inner = top.supervise("inner", patient);
  auto o = budget_of(50ms, overrun_action::escalate);
  o.shutdown = 10ms;
  auto a = inner.start<sleeper>("a", o, w.g);
  auto b = inner.start<sleeper>("b", std::make_shared<gate>());
  a.tell(late_hang{});
  REQUIRE(support::eventually([&] { return w.count(kind::escalated) == 1; }));
  CHECK(support::eventually([&] { return b.incarnation() == 1; }));
  w.g->let_go();
  CHECK(a.ask(query{}).get() == 1);
}

TEST_CASE("overrun: a constructor that takes too long at a restart is reported while it runs") {
  for (const auto action : {overrun_action::report, overrun_action::replace}) {
    CAPTURE(to_string(action));
    watched_system w{{.workers = 2}};
    auto top = w.sys.supervise("top", patient);
    child_options o;
    o.on_overrun = action;
    o.start_budget = 50ms;
    auto a = top.start<slow_to_return>("a", o, w.g);
    CHECK(w.count(kind::overran) == 0);
    a.tell(fail{});
    REQUIRE(support::eventually([&] { return w.count(kind::overran) == 1; }));
    CHECK(w.g->inside == 1);
    {
      const std::scoped_lock guard{w.mutex};
      const auto& why = std::ranges::find(w.events, kind::overran, &supervision_event::what)->why;
      CHECK(why.find("has been in its restart for ") == 0);
      CHECK((why.find("it cannot be replaced there") != std::string::npos) == (action == overrun_action::replace));
    }
    w.g->let_go();
    CHECK(a.ask(query{}).get() == 7);
    CHECK(a.incarnation() == 1);
    CHECK(w.count(kind::overran) == 1);
    CHECK(w.sys.shutdown().complete);
  }
}

TEST_CASE("overrun: a constructor that takes too long escalates alone and in the middle of a group restart") {
  for (const auto how : {one_for_one, one_for_all}) {
    CAPTURE(to_string(how));
    watched_system w{{.workers = 2}};
    auto top = w.sys.supervise("top", patient);
    auto options = patient;
    options.strategy = how;
    auto inner = top.supervise("inner", options);
    child_options o;
    o.shutdown = 10ms;
    o.on_overrun = overrun_action::escalate;
    o.start_budget = 50ms;
    auto a = inner.start<slow_to_return>("a", o, w.g);
    auto b = inner.start<sleeper>("b", std::make_shared<gate>());
    a.tell(fail{});
    REQUIRE(support::eventually([&] { return w.count(kind::escalated) == 1; }));
    CHECK(support::eventually([&] { return b.incarnation() >= 1; })); // it does not wait for the one that hangs
    CHECK(b.ask(query{}).get() == 1);
    w.g->let_go();
    CHECK(a.ask(query{}).get() == 7);
    CHECK(w.sys.shutdown().complete);
  }
}

TEST_CASE("overrun: in a stepped system an overrun is noticed when the handler returns") {
  auto clock = std::make_shared<manual_clock>();
  watched_system w{{.through = {.clock = clock}, .stepped = 0}};
  struct spend {
    std::chrono::milliseconds time;
  };
  class spender : public actor<spender, spend> {
  public:
    explicit spender(std::shared_ptr<manual_clock> c) : clock_{std::move(c)} {}
    void on(const spend& s) { clock_->advance(s.time); }

  private:
    const std::shared_ptr<manual_clock> clock_;
  };
  auto top = w.sys.supervise("top", patient);
  auto a = top.start<spender>("a", budget_of(20ms, overrun_action::report), clock);
  a.tell(spend{19ms});
  w.sys.run_until_idle();
  CHECK(w.count(kind::overran) == 0);
  a.tell(spend{20ms});
  w.sys.run_until_idle();
  CHECK(w.count(kind::overran) == 1);
  CHECK(top.list()[0].recent[1].took == 20ms);
}
