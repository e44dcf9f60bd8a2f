// SPDX-License-Identifier: BSD-3-Clause
// Claims: which ends lead to a restart; how children start and stop.
// Observed: actors write their births, ends and messages into a diary, in a stepped system with simulated time.
#include "support/supervision_stage.hpp"

using namespace support;

// -- restart types -----------------------------------------------------------------------------------------------------

TEST_CASE("supervisor: restart types against ends") {
  struct row {
    restart_type type;
    int end; // 0 ends itself, 1 fails, 2 stop, 3 kill
    lines expected;
    const char* reason; // null: it goes on
  };
  const row rows[] = {
      {permanent, 0, {"stop a", "-a", "+a"}, nullptr}, {permanent, 1, {"-a", "+a"}, nullptr},
      {permanent, 2, {"stop a", "-a"}, "shutdown"},    {permanent, 3, {"-a"}, "killed"},
      {transient, 0, {"stop a", "-a"}, "normal"},      {transient, 1, {"-a", "+a"}, nullptr},
      {transient, 2, {"stop a", "-a"}, "shutdown"},    {transient, 3, {"-a"}, "killed"},
      {temporary, 0, {"stop a", "-a"}, "normal"},      {temporary, 1, {"-a"}, "failure"},
      {temporary, 2, {"stop a", "-a"}, "shutdown"},    {temporary, 3, {"-a"}, "killed"},
  };
  for (const auto& r : rows) {
    CAPTURE(to_string(r.type));
    CAPTURE(r.end);
    stage s;
    auto top = s.sys.supervise("top", patient);
    auto a = s.start(top, "a", {.restart = r.type});
    s.done();
    switch (r.end) {
      case 0: a.tell(finish{}); break;
      case 1: a.tell(crash{}); break;
      case 2: a.stop(); break;
      default: a.kill(); break;
    }
    CHECK(s.done() == r.expected);
    CHECK(a.has_stopped() == (r.reason != nullptr));
    if (r.reason != nullptr) {
      CHECK(s.events.back().what == kind::stopped);
      CHECK(std::string{to_string(s.events.back().reason)} == r.reason);
    }
  }
}

TEST_CASE("supervisor: a child may be stopped by its ref during back-off and frees its name") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = s.start(top, "a");
  s.done();
  a.tell(crash{});
  a.tell(note{"never"});
  s.settle();
  a.stop();
  CHECK(s.done() == lines{"-a"});
  CHECK(a.has_stopped());
  CHECK(a.books().dropped == 2);
  auto again = s.start(top, "a");
  s.sys.advance(10s);
  CHECK(s.done() == lines{"+a"});
}

TEST_CASE("supervisor: a drain during back-off handles what is queued after the restart and then stops") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = s.start(top, "a");
  s.done();
  a.tell(crash{});
  a.tell(note{"1"});
  s.settle();
  a.drain();
  s.settle();
  a.tell(note{"late"});
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"-a", "+a", "a:1", "stop a", "-a"});
  CHECK(a.books().dropped == 1);
}

TEST_CASE("supervisor: a failure in the middle of a drain does not lose the drain") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.done();
  a.tell(note{"1"});
  a.tell(crash{});
  a.tell(note{"2"});
  a.drain();
  CHECK(s.done() == lines{"a:1", "-a", "+a", "a:2", "stop a", "-a"});
}

TEST_CASE("supervisor: an actor that ends itself while it drains is not restarted") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a");
  s.done();
  a.tell(finish{});
  a.tell(note{"never"});
  a.drain();
  CHECK(s.done() == lines{"stop a", "-a"});
  CHECK(a.has_stopped());
}

// -- start and stop ----------------------------------------------------------------------------------------------------

TEST_CASE("supervisor: a constructor that throws at the start leaves nothing behind") {
  stage s;
  auto top = s.sys.supervise("top");
  s.book->starts_to_fail["a"] = 1;
  CHECK_THROWS_AS(s.start(top, "a"), std::runtime_error);
  CHECK(top.children().empty());
  auto a = s.start(top, "a");
  CHECK(top.children().size() == 1);
}

TEST_CASE("supervisor: bad names and options are refused at the start") {
  const auto code = [](auto f) {
    try {
      f();
    } catch (const request_error& e) {
      return std::string{to_string(e.code())};
    }
    return std::string{"none"};
  };
  stage s;
  auto top = s.sys.supervise("top", {.children_max = 2});
  auto a = s.start(top, "a");
  CHECK(code([&] { s.start(top, "a"); }) == "name_taken");
  CHECK(code([&] { s.start(top, "a/b"); }) == "bad_options");
  CHECK(code([&] { s.start(top, "b", {.significant = true}); }) == "bad_options");
  CHECK(code([&] { top.supervise("t", {.children_max = 0}); }) == "bad_options");
  auto b = s.start(top, "b");
  CHECK(code([&] { s.start(top, "c"); }) == "bad_options");
  b.stop();
  s.settle();
  auto c = s.start(top, "c");
  top.stop();
  s.settle();
  CHECK(code([&] { s.start(top, "d"); }) == "shutting_down");
  CHECK(s.sys.find("top/d") == std::nullopt);
}

TEST_CASE("supervisor: stops its children in reverse order and waits for each") {
  for (auto how : {one_for_one, one_for_all, rest_for_one}) {
    stage s{7};
    auto top = s.sys.supervise("top", with(how));
    auto a = s.start(top, "a");
    auto b = s.start(top, "b");
    auto c = s.start(top, "c");
    s.done();
    top.stop();
    CHECK(s.done() == lines{"stop c", "-c", "stop b", "-b", "stop a", "-a"});
    CHECK(top.has_stopped());
  }
}

TEST_CASE("supervisor: a stop in the middle of back-off or of a group restart ends all") {
  for (auto how : {one_for_one, one_for_all, dynamic}) {
    stage s;
    auto top = s.sys.supervise("top", with(how, {.backoff = doubling}));
    auto a = s.start(top, "a");
    auto b = s.start(top, "b");
    s.settle();
    b.tell(crash{});
    s.settle();
    top.stop();
    s.settle();
    CHECK(top.has_stopped());
    CHECK(a.has_stopped());
    CHECK(b.has_stopped());
    s.done();
    s.sys.advance(10s);
    CHECK(s.done() == lines{});
  }
}

TEST_CASE("supervisor: kill skips the stop hooks and overtakes a stop that is under way") {
  stage s;
  auto top = s.sys.supervise("top");
  auto inner = top.supervise("inner");
  auto a = s.start(inner, "a");
  auto b = s.start(top, "b");
  s.done();
  SUBCASE("at once") { top.kill(); }
  SUBCASE("after a stop") {
    inner.stop();
    top.kill();
  }
  s.settle();
  CHECK(top.has_stopped());
  CHECK(inner.has_stopped());
  CHECK(b.has_stopped());
  for (const auto& line : s.book->take())
    CHECK((line == "-a" || line == "-b" || line == "stop a")); // a's orderly stop may have come first
}

TEST_CASE("supervisor: names are free once their actor has stopped") {
  stage s;
  auto top = s.sys.supervise("top");
  for (int i = 0; i < 3; ++i) {
    auto a = s.start(top, "a");
    a.stop();
    s.settle();
    CHECK(s.sys.find("top/a") == std::nullopt);
  }
  top.stop();
  s.settle();
  auto again = s.sys.supervise("top");
  CHECK(s.sys.find("top") == static_cast<any_ref>(again));
}

TEST_CASE("supervisor: nothing keeps the cell of a stopped actor but refs") {
  std::weak_ptr<diary> alive;
  stage s;
  {
    auto own = std::make_shared<diary>();
    alive = own;
    auto top = s.sys.supervise("top", with(one_for_all, {.backoff = doubling}));
    auto a = top.start<worker>("a", {.backoff = doubling}, own, "a");
    auto b = top.start<worker>("b", {}, own, "b");
    auto inner = top.supervise("inner", {.intensity = 0, .backoff = doubling});
    auto c = inner.start<worker>("c", {}, own, "c");
    own.reset();
    s.settle();
    SUBCASE("stopped in the pause of a group restart") {
      a.tell(finish{});
      s.settle();
      b.tell(finish{});
      s.settle();
      top.stop();
    }
    SUBCASE("stopped in the back-off of an escalation") {
      c.tell(finish{});
      s.settle();
      top.stop();
    }
    SUBCASE("killed in a back-off of one child") {
      auto other = s.sys.supervise("other", {.backoff = doubling});
      auto d = other.start<worker>("d", {}, alive.lock(), "d");
      d.tell(finish{});
      s.settle();
      other.kill();
      top.kill();
    }
  }
  s.settle();
  s.sys.advance(1min);
  CHECK(alive.expired());
}

TEST_CASE("supervisor: a stop hook that throws is reported and the actor ends") {
  struct hook : actor<hook, note> {
    void on(const note&) {}
    void on_stop() { throw std::runtime_error{"hook"}; }
  };
  stage s;
  auto top = s.sys.supervise("top");
  auto h = top.start<hook>("h");
  top.stop();
  s.settle();
  CHECK(h.has_stopped());
  CHECK(s.event_lines({kind::failed}) == lines{"failed top/h"});
}

TEST_CASE("supervisor: an actor may end itself or write to itself in its constructor") {
  struct brief : actor<brief, note> {
    explicit brief(std::shared_ptr<diary> d) : diary_{std::move(d)} {
      self().tell(note{"self"});
      if (incarnation() == 0)
        stop();
    }
    void on(const note& n) { diary_->written.push_back(n.text); }
    std::shared_ptr<diary> diary_;
  };
  stage s;
  auto top = s.sys.supervise("top");
  auto a = top.start<brief>("a", {.restart = transient}, s.book);
  CHECK(s.done() == lines{});
  CHECK(a.has_stopped());
  CHECK(a.books().dropped == 1);
  auto b = top.start<brief>("b", s.book);
  CHECK(s.done() == lines{"self", "self"});
  CHECK(b.incarnation() == 1);
}

TEST_CASE("supervisor: a significant child that ends in the pause of a group restart ends its supervisor after it") {
  stage s;
  auto options = patient;
  options.backoff = doubling;
  options.auto_shutdown = auto_shutdown::any_significant;
  options.strategy = one_for_all;
  auto top = s.sys.supervise("top", options);
  auto a = s.start(top, "a", {.restart = transient});
  auto b = s.start(top, "b", {.restart = transient, .significant = true});
  a.tell(crash{});
  b.tell(finish{});
  s.done();
  a.stop(); // in the pause, so that nobody is left to come back
  s.sys.advance(1s);
  CHECK(top.has_stopped());
}
