// SPDX-License-Identifier: BSD-3-Clause
// Claims: a child that is stopped by name keeps its place; it comes back, or is removed, on request; what is asked of it
// meanwhile is refused, and so are requests in back-off where the options say so.
// Observed: the actors' diary and the outcome of each request, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

namespace {

errc code_of(reply<void> r) {
  const auto outcome = std::move(r).try_get();
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error().code;
}

actor_state state_of(const supervisor& s, const std::string& path) {
  for (const auto& c : s.list())
    if (c.name == path)
      return c.state;
  return actor_state::stopped;
}

} // namespace

TEST_CASE("child request: a child stopped by name ends in an orderly way and keeps name and handle") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.start(top, "b");
  s.done();
  top.stop("a").get();
  CHECK(s.done() == lines{"stop a", "-a"});
  CHECK_FALSE(a.has_stopped());
  CHECK(state_of(top, "top/a") == actor_state::out);
  CHECK(state_of(top, "top/b") == actor_state::running);
  CHECK(s.sys.find<worker>("top/a").has_value());
  CHECK_THROWS_AS(s.start(top, "a"), request_error);
  CHECK(top.stop("a").try_get().has_value()); // once more changes nothing
}

TEST_CASE("child request: a stopped child drops what was queued and refuses what comes with the law intact") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.done();
  auto stopping = top.stop("a");
  a.tell(note{"queued"});
  auto asked = a.ask(query{});
  std::move(stopping).get();
  s.settle();
  CHECK(a.tell(note{"late"}) == delivery::stopped);
  CHECK(a.ask(query{}).try_get().error().code == errc::stopped);
  const auto books = a.books();
  CHECK(books.balanced());
  CHECK(books.queued == 0);
  CHECK(books.accepted == books.handled + books.dropped);
  (void)std::move(asked).try_get();
}

TEST_CASE("child request: a restart by name builds a fresh object in the old place behind the same ref") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all));
  auto a = s.start(top, "a");
  auto b = s.start(top, "b");
  a.tell(note{"x"});
  top.stop("a").get();
  s.done();
  top.restart("a").get();
  CHECK(s.done() == lines{"+a"});
  CHECK(a.ask(query{}).get() == 0);
  CHECK(a.tell(note{"y"}) == delivery::accepted);
  s.done();
  b.tell(crash{}); // it has its old place in the start order
  CHECK(s.done() == lines{"-a", "+a", "-b", "+b"});
}

TEST_CASE("child request: a group restart passes by what was stopped by name") {
  stage s;
  auto top = s.sys.supervise("top", with(one_for_all));
  s.start(top, "a");
  auto b = s.start(top, "b");
  s.start(top, "c");
  top.stop("a").get();
  s.done();
  b.tell(crash{});
  CHECK(s.done() == lines{"-c", "-b", "+b", "+c"});
  CHECK(state_of(top, "top/a") == actor_state::out);
}

TEST_CASE("child request: an escalation passes by what was stopped by name") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto inner = top.supervise("inner", {.intensity = 0});
  s.start(inner, "a");
  auto b = s.start(inner, "b");
  inner.stop("a").get();
  s.done();
  b.tell(crash{});
  CHECK(s.done() == lines{"-b", "+b"});
  inner.restart("a").get();
  CHECK(s.done() == lines{"+a"});
}

TEST_CASE("child request: only a stopped child may be restarted or removed and only a child there is") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto inner = top.supervise("inner", patient);
  s.start(top, "a");
  s.start(inner, "deep");
  CHECK(code_of(top.restart("a")) == errc::not_stopped);
  CHECK(code_of(top.remove("a")) == errc::not_stopped);
  CHECK(code_of(top.stop("nobody")) == errc::not_found);
  CHECK(code_of(top.stop("inner/deep")) == errc::not_found);
  top.stop();
  s.settle();
  CHECK(code_of(top.stop("a")) == errc::stopped);
}

TEST_CASE("child request: removal ends a stopped child for its watchers and frees its name") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.sys.spawn<watcher>(s.book, a);
  top.stop("a").get();
  CHECK(s.done() == lines{"+a", "stop a", "-a"});
  top.remove("a").get();
  CHECK(s.done() == lines{"saw top/a shutdown"});
  CHECK(a.has_stopped());
  CHECK(top.count().specs == 0);
  s.start(top, "a");
  CHECK(s.done() == lines{"+a"});
}

TEST_CASE("child request: a temporary child that is stopped by name is gone") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.restart = temporary});
  top.stop("a").get();
  s.settle();
  CHECK(a.has_stopped());
  CHECK(top.count().specs == 0);
}

TEST_CASE("child request: a restart by name whose constructor throws says so and leaves the child stopped") {
  stage s;
  auto top = s.sys.supervise("top", {.intensity = 0});
  auto a = s.start(top, "a");
  top.stop("a").get();
  s.book->starts_to_fail["a"] = 1;
  const auto outcome = top.restart("a").try_get();
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == errc::failed);
  CHECK(outcome.error().what.find("no start for a") != std::string::npos);
  CHECK(state_of(top, "top/a") == actor_state::out);
  CHECK(a.tell(note{"x"}) == delivery::stopped);
  top.restart("a").get(); // not charged to the budget of 0
  CHECK(a.ask(query{}).get() == 0);
}

TEST_CASE("child request: a child stopped by name in its back-off does not come back by itself") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = s.start(top, "a");
  a.tell(crash{});
  s.done();
  CHECK(state_of(top, "top/a") == actor_state::waiting);
  top.stop("a").get();
  s.sys.advance(10s);
  CHECK(s.done() == lines{"-a"});
  top.restart("a").get();
  CHECK(s.done() == lines{"+a"});
}

TEST_CASE("child request: a request in the middle of a group restart waits until the group is back") {
  stage s;
  auto top = s.sys.supervise("top", {.strategy = one_for_all, .backoff = doubling});
  auto a = s.start(top, "a");
  s.start(top, "b");
  a.tell(crash{});
  s.done();
  auto stopping = top.stop("b");
  CHECK(s.done().empty());
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-a", "+a", "+b", "stop b", "-b"});
  CHECK(stopping.ready());
  std::move(stopping).get();
}

TEST_CASE("child request: a request that waits when its supervisor stops is told so") {
  stage s;
  auto top = s.sys.supervise("top", {.strategy = one_for_all, .backoff = doubling});
  auto a = s.start(top, "a");
  s.start(top, "b");
  a.tell(crash{});
  s.settle();
  auto stopping = top.stop("b");
  s.settle();
  top.stop();
  s.settle();
  CHECK(code_of(std::move(stopping)) == errc::shutting_down);
}

TEST_CASE("child request: a supervisor stopped by name comes back with its children behind their old refs") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto inner = top.supervise("inner", patient);
  auto a = s.start(inner, "a");
  auto b = s.start(inner, "b");
  s.done();
  top.stop("inner").get();
  CHECK(s.done() == lines{"-b", "-a"});
  CHECK(a.tell(note{"kept"}) == delivery::accepted);
  top.restart("inner").get();
  CHECK(s.done() == lines{"+a", "a:kept", "+b"});
  CHECK(b.ask(query{}).get() == 0);
}

TEST_CASE("child request: a system with children stopped by name shuts down completely") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  s.start(top, "a");
  top.supervise("inner", patient);
  top.stop("a").get();
  top.stop("inner").get();
  const auto report = s.sys.shutdown();
  CHECK(report.complete);
  CHECK(report.drained);
  CHECK(report.books.balanced());
}

TEST_CASE("child request: count tells specs from what is active") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  s.start(top, "a");
  s.start(top, "b").tell(crash{});
  s.start(top, "c");
  top.supervise("inner", patient);
  s.settle();
  top.stop("c").get();
  const auto n = top.count();
  CHECK(n.specs == 4);
  CHECK(n.active == 2);
  CHECK(n.actors == 3);
  CHECK(n.supervisors == 1);
  CHECK(n.waiting == 1);
}

TEST_CASE("child request: a child whose back-off is over while a request is served comes back after it") {
  for (const bool stopped_meanwhile : {false, true}) {
    CAPTURE(stopped_meanwhile);
    stage s;
    auto options = patient;
    options.backoff = doubling;
    auto top = s.sys.supervise("top", options);
    auto inner = top.supervise("inner", options);
    s.start(inner, "slow");
    auto a = s.start(top, "a");
    top.stop("inner").get();
    s.done();
    a.tell(crash{});
    s.done();
    s.book->starts_to_fail["slow"] = 2;
    auto restarting = top.restart("inner"); // takes 300 ms; the back-off of a, 100 ms
    s.sys.advance(50ms);
    CHECK_FALSE(restarting.ready());
    if (stopped_meanwhile)
      a.stop();
    s.sys.advance(1s);
    CHECK(restarting.ready());
    std::move(restarting).get();
    CHECK(state_of(top, "top/a") == (stopped_meanwhile ? actor_state::stopped : actor_state::running));
    CHECK(s.sys.restarts() == (stopped_meanwhile ? 1 : 2));
  }
}

TEST_CASE("child request: asks in back-off are refused at once where the options say so and tells wait") {
  for (const bool refuse : {false, true}) {
    CAPTURE(refuse);
    stage s;
    auto top = s.sys.supervise("top", {.backoff = doubling});
    auto a = s.start(top, "a", {.refuse_asks_in_backoff = refuse});
    a.tell(crash{});
    s.done();
    a.tell(note{"kept"});
    auto asked = a.ask(query{}, 1s);
    s.settle();
    CHECK(asked.ready() == refuse);
    s.sys.advance(100ms);
    CHECK(s.done() == lines{"-a", "+a", "a:kept"});
    const auto outcome = std::move(asked).try_get();
    CHECK(outcome.has_value() == !refuse);
    if (refuse) {
      CHECK(outcome.error().code == errc::unavailable);
      CHECK(a.books().refused == 1);
    }
    CHECK(a.ask(query{}).get() >= 0); // after the restart all is as ever
    CHECK(a.books().balanced());
  }
}

TEST_CASE("child request: asks to members of a group are refused in its pause too") {
  stage s;
  auto top = s.sys.supervise("top", {.strategy = one_for_all, .backoff = doubling});
  auto a = s.start(top, "a");
  auto b = s.start(top, "b", {.refuse_asks_in_backoff = true});
  a.tell(crash{});
  s.settle();
  CHECK(b.ask(query{}).try_get().error().code == errc::unavailable);
  s.sys.advance(100ms);
  CHECK(b.ask(query{}).get() == 0);
}
