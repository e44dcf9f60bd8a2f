// SPDX-License-Identifier: BSD-3-Clause
// Claims: who is restarted, and in which order, under each strategy.
// Observed: actors write their births, ends and messages into a diary, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

namespace {

/// Three workers under one supervisor; the middle one crashes.
lines after_crash_of_b(strategy how) {
  stage s;
  auto top = s.sys.supervise("top", with(how));
  std::vector<ref<worker>> abc{s.start(top, "a"), s.start(top, "b"), s.start(top, "c")};
  s.done();
  abc[1].tell(crash{});
  return s.done();
}

} // namespace

TEST_CASE("supervisor: one_for_one restarts the failed child alone") {
  CHECK(after_crash_of_b(one_for_one) == lines{"-b", "+b"});
}

TEST_CASE("supervisor: dynamic restarts the failed child alone") {
  CHECK(after_crash_of_b(dynamic) == lines{"-b", "+b"});
}

TEST_CASE("supervisor: one_for_all halts the others in reverse order and revives all in start order") {
  CHECK(after_crash_of_b(one_for_all) == lines{"-c", "-a", "+a", "-b", "+b", "+c"});
}

TEST_CASE("supervisor: rest_for_one restarts the failed child and those started after it") {
  CHECK(after_crash_of_b(rest_for_one) == lines{"-c", "-b", "+b", "+c"});
}

TEST_CASE("supervisor: a group restart ends a temporary member and brings a transient one back") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all));
  auto a = s.start(top, "a", {.restart = temporary});
  auto b = s.start(top, "b", {.restart = transient});
  auto c = s.start(top, "c");
  s.done();
  c.tell(crash{});
  CHECK(s.done() == lines{"-b", "stop a", "-a", "+b", "-c", "+c"});
  CHECK(a.has_stopped());
  CHECK(top.children().size() == 2);
}

TEST_CASE("supervisor: two members that fail together are repaired by one group restart") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b");
  s.done();
  a.tell(crash{});
  b.tell(crash{});
  CHECK(s.done() == lines{"-b", "-a", "+a", "+b"});
  CHECK(s.sys.restarts() == 2);
}

TEST_CASE("supervisor: a failure outside of the group waits until the group is back") {
  stage s;
  auto top = s.sys.supervise("top", with(rest_for_one));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b", {.backoff = doubling});
  s.done();
  b.tell(crash{});
  s.settle();
  a.tell(crash{});
  CHECK(s.done() == lines{});
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-b", "+b", "-b", "-a", "+a", "+b"});
}

TEST_CASE("supervisor: a child started in the middle of a group restart just runs and its failure waits") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all));
  auto a = s.start(top, "a", {.backoff = doubling});
  s.done();
  a.tell(crash{});
  s.settle();
  auto b = s.start(top, "b");
  b.tell(note{"1"});
  CHECK(s.done() == lines{"+b", "b:1"});
  b.tell(crash{});
  CHECK(s.done() == lines{});
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-a", "+a", "-a", "+a", "-b", "+b"});
}

TEST_CASE("supervisor: a member stopped by its ref during the pause of a group restart stays stopped") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b", {.backoff = doubling});
  s.done();
  b.tell(crash{});
  CHECK(s.done() == lines{"-a"});
  a.stop();
  s.settle();
  CHECK(a.has_stopped());
  s.sys.advance(99ms);
  CHECK(s.done() == lines{});
  s.sys.advance(1ms);
  CHECK(s.done() == lines{"-b", "+b"});
}

TEST_CASE("supervisor: the member that failed may be stopped by its ref during the pause and the others come back") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b", {.backoff = doubling});
  s.done();
  b.tell(crash{});
  s.settle();
  b.stop();
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-a", "-b", "+a"});
}

TEST_CASE("supervisor: two failures that waited for the same group are repaired by one restart of theirs") {
  stage s;
  auto top = s.sys.supervise("top", with(rest_for_one));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b");
  auto c = s.start(top, "c", {.backoff = doubling});
  c.tell(crash{});
  s.done();
  a.tell(crash{});
  b.tell(crash{});
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-c", "+c", "-c", "-b", "-a", "+a", "+b", "+c"});
}

TEST_CASE("supervisor: a failure that waited is repaired by an escalation that comes first") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto inner = top.supervise("inner", with(rest_for_one, {.group_intensity = unlimited, .backoff = doubling}));
  auto a = s.start(inner, "a");
  auto b = s.start(inner, "b", {.intensity = 1});
  b.tell(crash{});
  s.settle();
  a.tell(crash{}); // waits
  s.settle();
  s.done();
  s.book->starts_to_fail["b"] = 1;
  s.sys.advance(10s);
  CHECK(s.done() == lines{"-b", "!b", "-a", "+a", "+b"});
  CHECK(s.sys.escalations() == 1);
}

TEST_CASE("supervisor: a failure that waited is forgotten and not charged if the child is stopped meanwhile") {
  stage s;
  auto top = s.sys.supervise("top", with(rest_for_one, {.group_intensity = 1, .backoff = doubling}));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b");
  b.tell(crash{});
  s.settle();
  a.tell(crash{});
  s.settle();
  a.stop();
  s.sys.advance(10s);
  CHECK(s.done() == lines{"+a", "+b", "-a", "-b", "+b"});
  CHECK(s.sys.escalations() == 0);
}

TEST_CASE("supervisor: a restart that waits is overtaken by the revival of the whole supervisor") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = {.min = 200ms, .jitter = 0.0, .immediate_first = false}});
  auto inner = top.supervise("inner", {.backoff = doubling});
  auto a = s.start(inner, "a");
  auto b = s.start(inner, "b", {.intensity = 0});
  s.done();
  a.tell(crash{}); // is to come back at 100 ms
  s.sys.advance(50ms);
  b.tell(crash{}); // halts all until 250 ms
  s.sys.advance(60ms);
  CHECK(s.done() == lines{"-b", "-a"});
  s.sys.advance(140ms);
  CHECK(s.done() == lines{"+a", "+b"});
}

TEST_CASE("supervisor: the timer of a restart before a revival does not shorten a later delay") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto inner = top.supervise("inner", {.backoff = doubling});
  auto a = s.start(inner, "a");
  auto b = s.start(inner, "b", {.intensity = 0});
  s.done();
  a.tell(crash{}); // is to come back at 100 ms
  s.sys.advance(50ms);
  b.tell(crash{}); // brings all back at once
  s.sys.advance(10ms);
  CHECK(s.done() == lines{"-b", "-a", "+a", "+b"});
  a.tell(crash{}); // is to come back at 160 ms
  s.sys.advance(99ms);
  CHECK(s.done() == lines{});
  s.sys.advance(1ms);
  CHECK(s.done() == lines{"-a", "+a"});
}

TEST_CASE("supervisor: what waits in a group restart counts as suspended and supervisors too") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all, {.backoff = doubling}));
  auto inner = top.supervise("inner");
  auto a = s.start(inner, "a");
  auto b = s.start(top, "b");
  b.tell(crash{});
  s.settle();
  CHECK(top.count().waiting == 2);
  CHECK(top.count().actors == 1);
  CHECK(top.count().supervisors == 1);
  s.sys.advance(100ms);
  CHECK(top.count().waiting == 0);
}
