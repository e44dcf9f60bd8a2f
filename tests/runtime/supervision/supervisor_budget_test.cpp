// SPDX-License-Identifier: BSD-3-Clause
// Claims: budgets, back-off, and restarts that fail.
// Observed: actors write their births, ends and messages into a diary, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

// -- budgets and back-off ----------------------------------------------------------------------------------------------

TEST_CASE("supervisor: a child may fail as often as its intensity within its period") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = 2, .period = 1s, .group_intensity = unlimited, .backoff = at_once});
  auto a = s.start(top, "a");
  crash_once(s, a);
  crash_once(s, a);
  CHECK(s.sys.escalations() == 0);
  SUBCASE("the next one escalates") {
    crash_once(s, a);
    CHECK(s.sys.escalations() == 1);
  }
  SUBCASE("after the period it may fail again") {
    s.sys.advance(1s);
    crash_once(s, a);
    crash_once(s, a);
    CHECK(s.sys.escalations() == 0);
  }
}

TEST_CASE("supervisor: the budget of one child is not spent by its siblings") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = 2, .group_intensity = unlimited, .backoff = at_once});
  auto a = s.start(top, "a");
  auto b = s.start(top, "b", {.intensity = 0});
  for (auto i = 0; i < 2; ++i)
    crash_once(s, a);
  CHECK(s.sys.escalations() == 0);
  crash_once(s, b);
  CHECK(s.sys.escalations() == 1);
}

TEST_CASE("supervisor: the group budget is spent by all children together") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = 5, .group_intensity = 2, .group_period = 1s, .backoff = at_once});
  auto a = s.start(top, "a");
  auto b = s.start(top, "b");
  auto c = s.start(top, "c");
  crash_once(s, a);
  crash_once(s, b);
  CHECK(s.sys.escalations() == 0);
  crash_once(s, c);
  CHECK(s.sys.escalations() == 1);
}

TEST_CASE("supervisor: without jitter the delays before restarts are exact") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = unlimited, .group_intensity = unlimited, .backoff = doubling});
  auto a = s.start(top, "a");
  s.done();
  for (auto expected : {100ms, 200ms, 400ms, 800ms, 1'600ms, 3'200ms, 3'200ms}) {
    CAPTURE(expected.count());
    a.tell(crash{});
    s.sys.advance(expected - 1ms);
    CHECK(s.done() == lines{});
    s.sys.advance(1ms);
    CHECK(s.done() == lines{"-a", "+a"});
    CHECK(s.events.back().delay == expected);
  }
}

TEST_CASE("supervisor: by default the first restart does not wait") {
  stage s;
  auto top = s.sys.supervise("top");
  auto a = s.start(top, "a");
  s.done();
  a.tell(crash{});
  CHECK(s.done() == lines{"-a", "+a"});
}

TEST_CASE("supervisor: jitter lengthens a delay by at most its fraction") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    stage s{seed};
    auto top = s.sys.supervise("top", {.backoff = {.min = 100ms, .jitter = 0.5, .immediate_first = false}});
    auto a = s.start(top, "a");
    s.done();
    a.tell(crash{});
    s.sys.advance(99ms);
    CHECK(s.done() == lines{});
    s.sys.advance(51ms);
    CHECK(s.done() == lines{"-a", "+a"});
  }
}

TEST_CASE("supervisor: a quiet life resets the back-off") {
  stage s;
  auto options = doubling;
  options.reset_after = 5s;
  auto top = s.sys.supervise("top", {.backoff = options});
  auto a = s.start(top, "a");
  for (auto i = 0; i < 2; ++i) {
    a.tell(crash{});
    s.sys.advance(1s);
  }
  s.sys.advance(3s);
  a.tell(crash{}); // alive for 4.8 s: the third delay
  s.sys.advance(399ms);
  CHECK(s.sys.restarts() == 2);
  s.sys.advance(1ms);
  CHECK(s.sys.restarts() == 3);
  s.sys.advance(5s);
  a.tell(crash{});
  s.sys.advance(100ms);
  CHECK(s.sys.restarts() == 4);
}

TEST_CASE("supervisor: a constructor that throws at a restart is tried again after the back-off without a busy loop") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = unlimited, .group_intensity = unlimited, .backoff = doubling});
  auto a = s.start(top, "a");
  s.done();
  s.book->starts_to_fail["a"] = 3;
  a.tell(crash{});
  a.tell(note{"1"});
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-a", "!a"});
  s.sys.advance(200ms);
  CHECK(s.done() == lines{"!a"});
  s.sys.advance(400ms + 799ms);
  CHECK(s.done() == lines{"!a"});
  s.sys.advance(1ms);
  CHECK(s.done() == lines{"+a", "a:1"});
  CHECK(a.incarnation() == 1);
  CHECK(s.sys.restarts() == 1);
}

TEST_CASE("supervisor: attempts to restart that fail are charged") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = 2, .backoff = at_once});
  auto a = s.start(top, "a");
  s.settle();
  s.book->starts_to_fail["a"] = 100;
  a.tell(crash{});
  s.sys.advance(10ms);
  CHECK(s.sys.escalations() >= 1);
  CHECK(s.event_lines({kind::gave_up})[0] == "gave_up top/a");
}

TEST_CASE("supervisor: a member that fails to start in a group restart is tried again from there") {
  for (const auto immediate : {true, false}) {
    stage s;
    auto options = doubling;
    options.immediate_first = immediate;
    auto top = s.sys.supervise("top", with(one_for_all, {.intensity = 5, .group_intensity = 10, .backoff = options}));
    auto a = s.start(top, "a");
    auto b = s.start(top, "b");
    auto c = s.start(top, "c");
    s.done();
    s.book->starts_to_fail["b"] = 2;
    a.tell(crash{});
    s.sys.advance(10s);
    CHECK(s.done() == lines{"-c", "-b", "-a", "+a", "!b", "!b", "+b", "+c"});
    CHECK(s.sys.escalations() == 0);
  }
}

TEST_CASE("supervisor: a group restart whose member never starts spends the budget and escalates") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all, {.intensity = 2, .backoff = at_once}));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b");
  s.settle();
  s.book->starts_to_fail["b"] = 3;
  a.tell(crash{});
  a.tell(note{"1"});
  s.sys.advance(5s);
  CHECK(s.sys.escalations() == 1);
  CHECK(s.book->starts_to_fail["b"] == 0);
  CHECK(a.ask(query{}, 1s).get() == 0);
  CHECK(a.books().handled == 2);
  CHECK(b.ask(query{}, 1s).get() == 0);
}

TEST_CASE("supervisor: a permanent child that ends itself too often escalates") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = 2, .backoff = at_once});
  auto a = s.start(top, "a");
  for (int i = 0; i < 3; ++i) {
    a.tell(finish{});
    s.sys.advance(2ms);
  }
  CHECK(s.sys.escalations() == 1);
  CHECK(a.ask(query{}, 1s).get() == 0);
  CHECK_FALSE(a.has_stopped());
}
