// SPDX-License-Identifier: BSD-3-Clause
// Claims: rules by exception class, significant children, and what the events say.
// Observed: actors write their births, ends and messages into a diary, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

// -- decisions by exception class --------------------------------------------------------------------------------------

TEST_CASE("supervisor: resume keeps state and timers and drops the message with an error to its asker") {
  stage s;
  auto top = s.sys.supervise("top", {.on_failure = decide_by<std::runtime_error>(failure_action::resume)});
  auto a = s.start(top, "a");
  a.tell(note{"1"});
  a.tell(tick{});
  s.settle();
  s.book->handlings_to_fail["a"] = 1;
  auto pending = a.ask(fragile{}, 1s);
  s.settle();
  CHECK(std::move(pending).try_get().error().code == errc::failed);
  CHECK(a.ask(query{}, 1s).get() == 1);
  s.sys.advance(10ms);
  CHECK(a.ask(query{}, 1s).get() == 2);
  CHECK(a.incarnation() == 0);
  CHECK(a.books().dropped == 1);
  CHECK(s.event_lines({kind::resumed, kind::failed, kind::restarted}) == lines{"resumed top/a"});
}

TEST_CASE("supervisor: the first rule that matches wins and a child has precedence over its supervisor") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto inner = top.supervise(
      "inner", {.on_failure = decide_by<std::bad_alloc>(failure_action::escalate).otherwise(failure_action::stop)});
  const auto rules = decide_by<declined>(failure_action::resume).by<std::runtime_error>(failure_action::restart);
  auto a = s.start(inner, "a", {.on_failure = rules});
  auto b = s.start(inner, "b");
  s.done();
  a.tell(decline{});
  CHECK(s.done() == lines{});
  a.tell(crash{});
  CHECK(s.done() == lines{"-a", "+a"});
  CHECK(s.sys.escalations() == 0);
  a.tell(boom_memory{});
  s.settle();
  CHECK(s.sys.escalations() == 1);
  CHECK(s.done() == lines{"-b", "-a", "+a", "+b"});
  b.tell(crash{});
  CHECK(s.done() == lines{"-b"});
  CHECK(b.has_stopped());
  CHECK(s.events.back().reason == exit_reason::failure);
}

TEST_CASE("supervisor: a constructor that throws at a restart is decided on by class too") {
  stage s;
  auto top = s.sys.supervise(
      "top",
      {.on_failure = decide_by<std::bad_alloc>(failure_action::restart).by<std::runtime_error>(failure_action::stop)});
  auto a = s.start(top, "a");
  s.done();
  s.book->starts_to_fail["a"] = 1;
  a.tell(boom_memory{});
  CHECK(s.done() == lines{"-a", "!a"});
  CHECK(a.has_stopped());
}

TEST_CASE("supervisor: a constructor that throws what is to be resumed is tried again") {
  stage s;
  auto top = s.sys.supervise("top", {.on_failure = decide_by<std::runtime_error>(failure_action::resume)});
  auto a = s.start(top, "a");
  s.done();
  s.book->starts_to_fail["a"] = 1;
  a.tell(finish{});
  s.sys.advance(1s);
  CHECK(s.done() == lines{"stop a", "-a", "!a", "+a"});
}

// -- significant children ----------------------------------------------------------------------------------------------

TEST_CASE("supervisor: stops when a significant child has ended by itself") {
  for (auto rule : {auto_shutdown::never, auto_shutdown::any_significant, auto_shutdown::all_significant}) {
    CAPTURE(to_string(rule));
    stage s;
    auto top = s.sys.supervise("top", {.auto_shutdown = rule});
    auto a = s.start(top, "a", {.restart = transient, .significant = true});
    auto b = s.start(top, "b", {.restart = temporary, .significant = true});
    auto c = s.start(top, "c");
    a.tell(finish{});
    s.settle();
    CHECK(top.has_stopped() == (rule == auto_shutdown::any_significant));
    b.tell(crash{});
    s.settle();
    CHECK(top.has_stopped() == (rule != auto_shutdown::never));
    CHECK(c.has_stopped() == (rule != auto_shutdown::never));
  }
}

TEST_CASE("supervisor: a significant child that is stopped from outside does not stop its supervisor") {
  stage s;
  auto top = s.sys.supervise("top", {.auto_shutdown = auto_shutdown::any_significant});
  auto a = s.start(top, "a", {.restart = transient, .significant = true});
  auto b = s.start(top, "b", {.restart = transient, .significant = true});
  a.stop();
  b.kill();
  s.settle();
  CHECK_FALSE(top.has_stopped());
}

// -- events ------------------------------------------------------------------------------------------------------------

TEST_CASE("supervisor: every event says who and what and why and which child") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = s.start(top, "a");
  a.tell(crash{});
  s.sys.advance(100ms);
  a.stop();
  s.settle();
  std::vector<supervision_event> of_a;
  for (const auto& e : s.events)
    if (e.child_id == a.id())
      of_a.push_back(e);
  const kind expected[] = {kind::started, kind::failed, kind::quarantined, kind::restarted, kind::stopped};
  REQUIRE(of_a.size() == std::size(expected));
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    CHECK(of_a[i].what == expected[i]);
    CHECK(of_a[i].supervisor == "top");
    CHECK(of_a[i].child == "top/a");
  }
  CHECK(of_a[1].why.find("crash") != std::string::npos);
  CHECK(of_a[1].message_type.find("crash") != std::string::npos);
  CHECK(of_a[2].attempt == 1);
  CHECK(of_a[3].attempt == 1);
  CHECK(of_a[3].delay == 100ms);
  CHECK(of_a[4].reason == exit_reason::shutdown);
}
