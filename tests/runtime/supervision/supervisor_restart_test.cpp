// SPDX-License-Identifier: BSD-3-Clause
// Claims: what becomes of messages, handles, askers, watchers and timers at a restart, and of the failing message.
// Observed: actors write their births, ends and messages into a diary, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

// -- what survives a restart -------------------------------------------------------------------------------------------

TEST_CASE("supervisor: a restart keeps the mailbox and the order of messages") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.done();
  for (const char* text : {"1", "2"})
    a.tell(note{text});
  a.tell(crash{});
  for (const char* text : {"3", "4"})
    a.tell(note{text});
  CHECK(s.done() == lines{"a:1", "a:2", "-a", "+a", "a:3", "a:4"});
}

TEST_CASE("supervisor: messages that arrive during back-off are handled after it in order") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = s.start(top, "a");
  s.done();
  a.tell(crash{});
  s.settle();
  a.tell(note{"1"});
  a.tell(note{"2"});
  CHECK(s.done() == lines{});
  CHECK(a.depth() == 2);
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-a", "+a", "a:1", "a:2"});
}

TEST_CASE("supervisor: a mailbox full at the moment of restart keeps what it accepted") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = s.start(top, "a", {.mailbox = {.capacity = 2}});
  s.done();
  a.tell(crash{});
  s.settle();
  CHECK(a.tell(note{"1"}) == delivery::accepted);
  CHECK(a.tell(note{"2"}) == delivery::accepted);
  CHECK(a.tell(note{"3"}) == delivery::rejected);
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-a", "+a", "a:1", "a:2"});
}

TEST_CASE("supervisor: the same ref and path reach the new incarnation whose state is fresh") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  a.tell(note{"1"});
  a.tell(crash{});
  CHECK(a.ask(query{}, 1s).get() == 0);
  CHECK(a.incarnation() == 1);
  CHECK(s.sys.find<worker>("top/a") == a);
}

TEST_CASE("supervisor: watchers survive a restart and learn of the end only") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.sys.spawn<watcher>(s.book, a);
  s.done();
  a.tell(crash{});
  CHECK(s.done() == lines{"-a", "+a"});
  a.stop();
  CHECK(s.done() == lines{"stop a", "-a", "saw top/a shutdown"});
}

TEST_CASE("supervisor: an ask that waits in the mailbox is answered by the new incarnation") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  a.tell(crash{});
  auto pending = a.ask(query{}, 1s);
  CHECK(std::move(pending).get() == 0);
}

TEST_CASE("supervisor: the asker of a suspended handler learns of the restart at once") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = s.start(top, "a");
  auto w = top.start<waiting>("w", {}, a);
  s.settle();
  a.tell(crash{}); // a is down for 100 ms, so that w waits for it
  s.settle();
  auto pending = w.ask(slow_read{}, 1h);
  s.settle();
  CHECK_FALSE(pending.ready());
  w.tell(crash{});
  s.settle();
  REQUIRE(pending.ready());
  CHECK(std::move(pending).try_get().error().code == errc::restarted);
  CHECK(s.sys.now() == time_point{});
}

TEST_CASE("supervisor: the timers of an incarnation die with it") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  a.tell(tick{});
  s.sys.advance(10ms);
  CHECK(s.done() == lines{"+a", "a:tick"});
  a.tell(crash{});
  s.done();
  s.sys.advance(1s);
  CHECK(s.done() == lines{});
}

// -- the failing message -----------------------------------------------------------------------------------------------

TEST_CASE("supervisor: a failing message is tried again before all others and answered") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.retries = 2, .backoff = backoff_options{.jitter = 0}});
  s.done();
  s.book->handlings_to_fail["a"] = 2;
  auto pending = a.ask(fragile{}, 10s);
  a.tell(note{"later"});
  s.settle();
  s.sys.advance(100ms); // the second restart waits
  CHECK(s.done() == lines{"-a", "+a", "-a", "+a", "a:fragile", "a:later"});
  CHECK(std::move(pending).get() == 1);
  CHECK(s.sys.quarantine().size() == 0);
}

TEST_CASE("supervisor: after its retries a message is quarantined with its evidence and its asker told") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.retries = 2, .backoff = backoff_options{.jitter = 0}});
  s.book->handlings_to_fail["a"] = 3;
  auto pending = a.ask(fragile{}, 10s);
  a.tell(note{"later"});
  s.sys.advance(1s);
  CHECK(std::move(pending).try_get().error().code == errc::failed);
  const auto list = s.sys.quarantine().list();
  REQUIRE(list.size() == 1);
  CHECK(list[0].receiver == "top/a");
  CHECK(list[0].attempts == 3);
  CHECK(list[0].message_type.find("fragile") != std::string::npos);
  CHECK(list[0].exception.find("fragile") != std::string::npos);
  CHECK(a.books().quarantined == 1);
  CHECK(a.books().handled == 1);
}

TEST_CASE("supervisor: a message that failed keeps its attempts over constructors that throw") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.retries = 1, .backoff = doubling});
  s.book->handlings_to_fail["a"] = 2;
  s.book->starts_to_fail["a"] = 2;
  a.tell(fragile{});
  s.sys.advance(10s);
  REQUIRE(s.sys.quarantine().size() == 1);
  CHECK(s.sys.quarantine().list()[0].attempts == 2);
  CHECK(s.sys.quarantine().list()[0].exception.find("fragile") != std::string::npos);
}

TEST_CASE("supervisor: a quarantined message is replayed as a new one or discarded") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.book->handlings_to_fail["a"] = 2;
  a.tell(fragile{});
  s.settle();
  a.tell(fragile{});
  s.sys.advance(1s);
  auto& q = s.sys.quarantine();
  REQUIRE(q.size() == 2);
  s.done();
  CHECK(q.replay(q.list()[0].id));
  CHECK(s.done() == lines{"a:fragile"});
  CHECK(q.discard(q.list()[0].id));
  CHECK(q.size() == 0);
  CHECK_FALSE(q.replay(1));
  CHECK_FALSE(q.discard(1));
  const auto b = a.books();
  CHECK(b.balanced());
  CHECK(b.accepted == 3);
  CHECK(b.quarantined == 2);
}

TEST_CASE("supervisor: a replay to a receiver that has stopped leaves the message in the quarantine") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  a.tell(crash{});
  s.settle();
  a.stop();
  s.settle();
  auto& q = s.sys.quarantine();
  REQUIRE(q.size() == 1);
  CHECK_FALSE(q.replay(q.list()[0].id));
  CHECK(q.size() == 1);
}

TEST_CASE("supervisor: a full quarantine keeps the oldest and the newest is dropped and counted") {
  stage s{0, 2};
  auto top = s.sys.supervise(
      "top", with(one_for_one, {.intensity = unlimited, .group_intensity = unlimited, .backoff = {.max = 100ms}}));
  auto a = s.start(top, "a");
  for (int i = 0; i < 3; ++i)
    a.tell(crash{});
  s.sys.advance(1s);
  CHECK(s.sys.quarantine().size() == 2);
  CHECK(a.books().quarantined == 2);
  CHECK(a.books().dropped == 1);
  CHECK(a.books().balanced());
}
