// SPDX-License-Identifier: BSD-3-Clause
// Claims: failures go up, and whole subtrees come back.
// Observed: actors write their births, ends and messages into a diary, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

TEST_CASE("supervisor: an escalation halts and revives the whole subtree with all handles intact") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto inner = top.supervise("inner", {.intensity = 0});
  auto a = s.start(inner, "a");
  auto b = s.start(inner, "b", {.restart = temporary});
  auto c = s.start(inner, "c");
  s.done();
  a.tell(note{"1"});
  a.tell(crash{});
  a.tell(note{"2"});
  c.tell(note{"3"});
  CHECK(s.done() == lines{"a:1", "c:3", "-c", "stop b", "-b", "-a", "+a", "a:2", "+c"});
  CHECK(b.has_stopped());
  CHECK(s.sys.escalations() == 1);
  CHECK(s.sys.restarts() == 3); // a, c and their supervisor
  CHECK(s.event_lines({kind::gave_up, kind::escalated}) == lines{"gave_up top/inner/a", "escalated top/inner"});
  CHECK(s.sys.find<worker>("top/inner/a") == a);
}

TEST_CASE("supervisor: a revived subtree has fresh budgets") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = 10, .group_intensity = unlimited, .backoff = at_once});
  auto inner = top.supervise("inner", {.intensity = 1, .group_intensity = 1, .backoff = at_once});
  auto a = s.start(inner, "a");
  crash_once(s, a);
  crash_once(s, a);
  CHECK(s.sys.escalations() == 1);
  s.sys.advance(5ms);
  crash_once(s, a);
  CHECK(s.sys.escalations() == 1);
  crash_once(s, a);
  CHECK(s.sys.escalations() == 2);
}

TEST_CASE("supervisor: a failure escalates through three levels to the root which gives up") {
  stage s;
  auto l1 = s.sys.root().supervise("l1", {.intensity = 0});
  auto l2 = l1.supervise("l2", {.intensity = 0});
  auto l3 = l2.supervise("l3", {.intensity = 0});
  auto other = s.sys.supervise("other");
  auto a = s.start(l3, "a");
  auto b = s.start(other, "b");
  s.settle();
  for (int i = 0; i < 6; ++i) { // the root restarts l1 five times within 5 s
    CAPTURE(i);
    CHECK_FALSE(a.has_stopped());
    CHECK(s.sys.escalations() == static_cast<unsigned>(3 * i));
    a.tell(crash{});
    s.settle();
    s.sys.advance(990ms);
  }
  CHECK(l1.has_stopped());
  CHECK(a.has_stopped());
  CHECK_FALSE(b.has_stopped());
  CHECK_FALSE(s.sys.wait());
  const auto report = s.sys.shutdown();
  CHECK(report.complete);
  CHECK(report.gave_up);
  CHECK(report.exit_code() == 1);
  CHECK(report.books.balanced());
  CHECK(report.unaccounted == 0);
}

TEST_CASE("supervisor: a subtree that fails again while it is revived is charged to the one above") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all, {.intensity = 3, .backoff = at_once}));
  auto inner = top.supervise("inner", with(one_for_all, {.intensity = 0, .backoff = at_once}));
  auto a = s.start(inner, "a");
  auto b = s.start(inner, "b");
  auto c = s.start(top, "c");
  s.settle();
  s.book->starts_to_fail["b"] = 2; // twice while inner is being revived
  a.tell(crash{});
  s.sys.advance(1s);
  CHECK(s.sys.escalations() == 3);
  CHECK(s.book->starts_to_fail["b"] == 0);
  for (const auto& r : {a, b, c})
    CHECK(r.ask(query{}, 1s).get() == 0);
}

TEST_CASE("supervisor: a supervisor halted in the middle of its own escalation comes back once") {
  // Any interleaving of an inner escalation with a group restart from above.
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    stage s{seed};
    auto top = s.sys.supervise("top", with(one_for_all, {.intensity = unlimited, .group_intensity = unlimited}));
    auto inner = top.supervise("inner", {.intensity = 0});
    auto a = s.start(inner, "a");
    auto b = s.start(inner, "b");
    auto c = s.start(top, "c");
    s.settle();
    a.tell(crash{});
    c.tell(crash{});
    b.tell(crash{});
    s.sys.advance(10s);
    for (const auto& r : {a, b, c}) {
      CHECK_FALSE(r.has_stopped());
      CHECK(r.ask(query{}, 1s).get() == 0);
    }
    top.stop();
    s.settle();
    CHECK(top.has_stopped());
    CHECK(s.sys.books().balanced());
  }
}

TEST_CASE("supervisor: a child started while its supervisor is halted runs and is repaired later") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto inner = top.supervise("inner", {.intensity = 1, .backoff = at_once});
  auto a = s.start(inner, "a");
  s.settle();
  crash_once(s, a);
  crash_once(s, a); // inner is halted for 100 ms
  auto b = s.start(inner, "b");
  s.done();
  b.tell(note{"1"});
  b.tell(crash{});
  b.tell(note{"2"});
  CHECK(s.done() == lines{"b:1"});
  s.sys.advance(200ms);
  CHECK(s.done() == lines{"+a", "-b", "+b", "b:2"});
}
