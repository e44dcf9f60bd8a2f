// SPDX-License-Identifier: BSD-3-Clause
// Claims: a flight recorder shows an actor's last messages with a crash; the quarantine says where a message came from;
// hooks see a restart from both sides; replies that nobody waits for are counted.
// Observed: the events and texts themselves, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

namespace {

struct deep {
  int level;
  using reply = int;
};

std::string to_string(const deep& d) { return "level " + std::to_string(d.level); }

/// Asks the next one down; the last one fails.
class station : public actor<station, deep> {
public:
  explicit station(ref<station> next) : next_{std::move(next)} {}
  task<int> on(const deep& m) {
    if (!next_)
      throw std::runtime_error{"the end of the chain"};
    auto answer = next_.ask(deep{m.level + 1});
    co_return co_await answer;
  }

private:
  const ref<station> next_;
};

struct poke {};

class sender : public actor<sender, poke> {
public:
  explicit sender(ref<worker> to) : to_{std::move(to)} {}
  void on(const poke&) { to_.tell(crash{}); }

private:
  const ref<worker> to_;
};

struct hooks_seen {
  lines written;
  bool fail_after = false;
  bool fail_before = false;
};

class hooked : public actor<hooked, crash, query> {
public:
  explicit hooked(std::shared_ptr<hooks_seen> s) : seen_{std::move(s)} { seen_->written.push_back("built"); }
  ~hooked() { seen_->written.push_back("destroyed"); }
  void on(const crash&) { throw std::runtime_error{"crash"}; }
  int on(const query&) { return 1; }
  void before_restart(const std::exception_ptr& why) {
    seen_->written.push_back("before: " + (why ? describe(why) : std::string{"not mine"}));
    if (seen_->fail_before)
      throw std::runtime_error{"hook"};
  }
  void after_restart(const std::exception_ptr& why) {
    seen_->written.push_back("after: " + (why ? describe(why) : std::string{"not mine"}));
    if (std::exchange(seen_->fail_after, false))
      throw std::runtime_error{"hook"};
  }

private:
  const std::shared_ptr<hooks_seen> seen_;
};

} // namespace

TEST_CASE("flight recorder: a crash comes with the last messages and their senders oldest first") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.flight_recorder = 3});
  auto from = s.sys.spawn<sender>(a);
  for (int i = 0; i < 5; ++i)
    a.tell(note{"x"});
  s.settle();
  s.sys.advance(2s);
  from.tell(poke{});
  s.settle();
  const auto failed = std::ranges::find(s.events, kind::failed, &supervision_event::what);
  REQUIRE(failed != s.events.end());
  REQUIRE(failed->recent.size() == 3);
  CHECK(failed->recent[0].message_type == "support::note");
  CHECK(failed->recent[0].sender == 0);
  CHECK_FALSE(failed->recent[0].failed);
  CHECK(failed->recent[2].message_type == "support::crash");
  CHECK(failed->recent[2].sender == from.id());
  CHECK(failed->recent[2].failed);
  CHECK(failed->recent[2].at - failed->recent[1].at == 2s);
  const auto text = to_string(*failed);
  CHECK(text.find("top: top/a failed: std::runtime_error: crash (handling support::crash)") == 0);
  CHECK(text.find("2 s ago  support::note  from outside") != std::string::npos);
  CHECK(text.find("from #" + std::to_string(from.id())) != std::string::npos);
}

TEST_CASE("flight recorder: what it holds outlives restarts and is nothing where it is off") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.flight_recorder = 10});
  auto b = s.start(top, "b");
  for (const auto& r : {a, b}) {
    r.tell(note{"x"});
    r.tell(crash{});
    r.tell(note{"y"});
  }
  s.settle();
  const auto list = top.list();
  CHECK(list[0].recent.size() == 3);
  CHECK(list[0].restarts == 1);
  CHECK(list[1].recent.empty());
}

TEST_CASE("quarantine: a message says who caused it down the chain of requests and what it holds") {
  stage s;
  auto top = s.sys.supervise("top", {.on_failure = failure_rules{}.otherwise(failure_action::restart)});
  auto last = top.start<station>("last", ref<station>{});
  auto middle = top.start<station>("middle", last);
  auto first = top.start<station>("first", middle);
  CHECK_FALSE(first.ask(deep{1}).try_get().has_value());
  s.settle();
  const auto kept = s.sys.quarantine().list();
  const auto of_last = std::ranges::find(kept, "top/last", &quarantined_message::receiver);
  REQUIRE(of_last != kept.end());
  const auto type = of_last->message_type;
  CHECK(of_last->path == lines{"outside", "top/first, handling " + type, "top/middle, handling " + type});
  CHECK(of_last->payload == "level 3");
  const auto text = to_string(kept);
  CHECK(text.find("payload: level 3") != std::string::npos);
  CHECK(text.find("caused by: outside -> top/first, handling " + type) != std::string::npos);
}

TEST_CASE("quarantine: a tell to a recorded actor names its sender") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.flight_recorder = 1});
  auto from = s.sys.spawn<sender>(a);
  from.tell(poke{});
  s.settle();
  REQUIRE(s.sys.quarantine().size() == 1);
  CHECK(s.sys.quarantine().list()[0].path == lines{"actor #" + std::to_string(from.id())});
}

TEST_CASE("restart hooks: the old object sees the failure before its end and the fresh one after its birth") {
  stage s;
  auto seen = std::make_shared<hooks_seen>();
  auto top = s.sys.supervise("top", with(one_for_all));
  auto h = top.start<hooked>("h", seen);
  auto a = s.start(top, "a");
  h.tell(crash{});
  s.settle();
  CHECK(seen->written ==
        lines{"built", "before: std::runtime_error: crash", "destroyed", "built", "after: std::runtime_error: crash"});
  seen->written.clear();
  a.tell(crash{});
  s.settle();
  CHECK(seen->written == lines{"before: not mine", "destroyed", "built", "after: not mine"});
  seen->written.clear();
  h.stop();
  s.settle();
  CHECK(seen->written == lines{"destroyed"});
}

TEST_CASE("restart hooks: one that throws before is reported and one that throws after fails the restart") {
  stage s;
  auto seen = std::make_shared<hooks_seen>();
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto h = top.start<hooked>("h", seen);
  seen->fail_before = seen->fail_after = true;
  h.tell(crash{});
  s.sys.advance(100ms);
  CHECK(seen->written == lines{"built", "before: std::runtime_error: crash", "destroyed", "built",
                               "after: std::runtime_error: crash", "destroyed"});
  s.sys.advance(200ms);
  CHECK(h.ask(query{}).get() == 1);
  CHECK(h.incarnation() == 1);
  bool reported = false;
  for (const auto& e : s.events)
    reported = reported || e.why == "before_restart: std::runtime_error: hook";
  CHECK(reported);
}

TEST_CASE("late replies: those after the deadline and those to an incarnation that has gone are counted") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto b = s.start(top, "b");
  auto w = top.start<waiting>("w", b);
  auto asked = w.ask(slow_read{});
  w.tell(crash{}); // handled in the same turn, before b has answered
  s.settle();
  CHECK(s.sys.late_replies() == 1);
  CHECK(std::move(asked).try_get().error().code == errc::restarted);
}

TEST_CASE("books: what is refused after the end counts in the system's sum") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  a.stop();
  s.settle();
  for (int i = 0; i < 3; ++i)
    CHECK(a.tell(note{"x"}) == delivery::stopped);
  CHECK(a.books().refused == 3);
  CHECK(s.sys.books().refused == 3);
}
