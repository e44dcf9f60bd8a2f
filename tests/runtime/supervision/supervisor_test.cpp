// SPDX-License-Identifier: BSD-3-Clause
// Claims: who is restarted, when and in which order; what becomes of messages, handles, askers and watchers meanwhile.
// Observed: actors write their births, ends and messages into a diary, in a stepped system with simulated time.
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines)
      text += "[" + line + "] ";
    return text.c_str();
  }
};
} // namespace doctest

namespace {

using lines = std::vector<std::string>;

/// What the actors of one test write, and what they are told to do.
struct diary {
  lines written;
  std::map<std::string, int> starts_to_fail;
  std::map<std::string, int> handlings_to_fail; // of `fragile`

  lines take() { return std::exchange(written, {}); }
};

struct note {
  std::string text;
};
struct crash {};
struct fragile { // fails as often as the diary says
  using reply = int;
};
struct finish {};
struct query {
  using reply = int;
};
struct slow_read { // waits for `query` of another actor
  using reply = int;
};
struct tick {};
struct boom_memory {};
struct decline {};

struct declined : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class worker : public actor<worker, note, crash, fragile, finish, query, tick, boom_memory, decline> {
public:
  worker(std::shared_ptr<diary> d, std::string n) : diary_{std::move(d)}, name_{std::move(n)} {
    if (diary_->starts_to_fail[name_] > 0) {
      --diary_->starts_to_fail[name_];
      diary_->written.push_back("!" + name_);
      throw std::runtime_error{"no start for " + name_};
    }
    diary_->written.push_back("+" + name_);
  }
  ~worker() { diary_->written.push_back("-" + name_); }

  void on(const note& m) {
    ++handled_;
    diary_->written.push_back(name_ + ":" + m.text);
  }
  void on(const crash&) { throw std::runtime_error{"crash"}; }
  int on(const fragile&) {
    if (diary_->handlings_to_fail[name_] > 0) {
      --diary_->handlings_to_fail[name_];
      throw std::runtime_error{"fragile"};
    }
    diary_->written.push_back(name_ + ":fragile");
    return ++handled_;
  }
  void on(const finish&) { stop(); }
  int on(const query&) const { return handled_; }
  void on(const tick&) { every(10ms, note{"tick"}); }
  void on(const boom_memory&) { throw std::bad_alloc{}; }
  void on(const decline&) { throw declined{"declined"}; }
  void on_stop() { diary_->written.push_back("stop " + name_); }

private:
  const std::shared_ptr<diary> diary_;
  const std::string name_;
  int handled_ = 0;
};

class watcher : public actor<watcher, note> {
public:
  watcher(std::shared_ptr<diary> d, any_ref whom) : diary_{std::move(d)} { watch(whom); }
  void on(const note&) {}
  void on(const stopped& s) { diary_->written.push_back("saw " + s.name + " " + to_string(s.reason)); }

private:
  const std::shared_ptr<diary> diary_;
};

class waiting : public actor<waiting, slow_read, crash> {
public:
  explicit waiting(ref<worker> whom) : whom_{std::move(whom)} {}
  task<int> on(const slow_read&) {
    auto answer = whom_.ask(query{}, 1h);
    const int n = co_await answer;
    co_return n + 100;
  }
  void on(const crash&) { throw std::runtime_error{"crash"}; }

private:
  const ref<worker> whom_;
};

struct stage {
  explicit stage(std::uint64_t seed = 0, std::size_t quarantine = 1'000)
      : sys{system_options{.quarantine_capacity = quarantine,
                           .through = {.clock = std::make_shared<manual_clock>()},
                           .stepped = seed}} {
    listening = sys.events().subscribe([this](const event& e) {
      if (const auto* s = std::get_if<supervision_event>(&e))
        events.push_back(*s);
    });
  }

  ref<worker> start(const supervisor& s, const std::string& name, child_options o = {}) {
    o.shutdown = o.shutdown == child_options{}.shutdown ? 100ms : o.shutdown;
    return s.start<worker>(name, o, book, name);
  }

  void settle() { sys.run_until_idle(); }

  /// What was written since the last call, once nothing is left to do.
  lines done() {
    settle();
    return book->take();
  }

  lines event_lines(std::initializer_list<supervision_event::kind> kinds) const {
    lines result;
    for (const auto& e : events)
      for (auto k : kinds)
        if (e.what == k)
          result.push_back(std::string{to_string(k)} + " " + e.child);
    return result;
  }

  std::shared_ptr<diary> book = std::make_shared<diary>();
  std::vector<supervision_event> events;
  troupe::system sys;
  event_stream::subscription listening;
};

using kind = supervision_event::kind;

const supervisor_options patient{.intensity = unlimited, .group_intensity = unlimited};

supervisor_options with(strategy how, supervisor_options o = patient) {
  o.strategy = how;
  return o;
}

/// Delays 100, 200, 400, ... 3200 ms, exact.
constexpr backoff_options doubling{.min = 100ms, .max = 3'200ms, .jitter = 0.0, .immediate_first = false};

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

// -- strategies --------------------------------------------------------------------------------------------------------

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
  CHECK(top.count().suspended == 2);
  CHECK(top.count().actors == 1);
  CHECK(top.count().supervisors == 1);
  s.sys.advance(100ms);
  CHECK(top.count().suspended == 0);
}

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

// -- budgets and back-off ----------------------------------------------------------------------------------------------

namespace {

/// Crashes `a` once and lets it come back at once.
void crash_once(stage& s, const ref<worker>& a) {
  a.tell(crash{});
  s.sys.advance(1ms);
}

constexpr backoff_options at_once{.min = 1ms, .max = 1ms, .jitter = 0.0};

} // namespace

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

// -- trees -------------------------------------------------------------------------------------------------------------

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

// -- handlers that do not return: real threads -------------------------------------------------------------------------

namespace {

struct hang {};

class stubborn : public actor<stubborn, hang, query> {
public:
  explicit stubborn(std::shared_ptr<std::atomic<int>> gate) : gate_{std::move(gate)} {}
  void on(const hang&) {
    gate_->store(1);
    gate_->notify_all();
    gate_->wait(1);
  }
  int on(const query&) { return 7; }

private:
  const std::shared_ptr<std::atomic<int>> gate_; // 1: in the handler, 2: may leave it
};

struct threaded {
  threaded() {
    listening = sys.events().subscribe([this](const event& e) {
      if (const auto* s = std::get_if<supervision_event>(&e); s != nullptr && s->what == kind::stuck)
        ++stuck;
    });
  }
  ref<stubborn> start_hanging(const supervisor& under, child_options o) {
    auto r = under.start<stubborn>("s", o, gate);
    r.tell(hang{});
    gate->wait(0);
    return r;
  }
  void let_go() {
    gate->store(2);
    gate->notify_all();
  }

  std::shared_ptr<std::atomic<int>> gate = std::make_shared<std::atomic<int>>(0);
  std::atomic<int> stuck{0};
  troupe::system sys{system_options{.workers = 2}};
  event_stream::subscription listening;
};

} // namespace

TEST_CASE("supervisor: a child that does not stop in time is killed and reported stuck and not waited for") {
  for (auto how : {one_for_one, dynamic}) {
    threaded t;
    auto top = t.sys.supervise("top", with(how));
    auto inner = top.supervise("inner", with(how));
    auto s = t.start_hanging(inner, {.shutdown = 10ms});
    auto other = top.start<stubborn>("other", t.gate);
    const auto begin = std::chrono::steady_clock::now();
    top.stop();
    CHECK(t.sys.wait_stopped(top, 10s));
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= 1s);
    CHECK(took < 5s);
    CHECK(t.stuck == 1);
    CHECK(other.has_stopped());
    CHECK_FALSE(s.has_stopped());
    CHECK(t.sys.find("top/inner/s").has_value()); // its name is taken until it has gone
    const auto books = t.sys.books();
    CHECK(books.accepted == 1);
    CHECK(books.queued == 1);
    const auto report = t.sys.shutdown(100ms);
    CHECK_FALSE(report.complete);
    REQUIRE(report.survivors.size() == 1);
    CHECK(report.survivors[0].name == "top/inner/s");
    CHECK(report.survivors[0].handler.find("hang") != std::string::npos);
    t.let_go();
    CHECK(t.sys.wait_stopped(s, 10s));
    CHECK(t.sys.books().balanced());
    CHECK(t.sys.books().handled == 1);
  }
}

TEST_CASE("supervisor: a group restart does not wait for a member that is stuck and takes it in when it returns") {
  threaded t;
  auto top = t.sys.supervise("top", with(one_for_all));
  auto s = t.start_hanging(top, {.shutdown = 10ms});
  auto book = std::make_shared<diary>();
  auto a = top.start<worker>("a", book, "a");
  a.tell(crash{});
  CHECK(a.ask(query{}, 5s).get() == 0);
  CHECK(a.incarnation() == 1);
  CHECK(t.stuck == 1);
  CHECK(s.incarnation() == 0);
  t.let_go();
  CHECK(s.ask(query{}, 5s).get() == 7);
  CHECK(s.incarnation() == 1);
}

TEST_CASE("supervisor: many threads may start and stop children of one supervisor") {
  troupe::system sys{system_options{.workers = 2}};
  auto top = sys.supervise("top", {.children_max = 4});
  auto book = std::make_shared<diary>();
  std::atomic<int> full{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      struct idle : actor<idle, note> {
        void on(const note&) {}
      };
      for (int i = 0; i < 500; ++i) {
        auto r = top.start<idle>("child " + std::to_string(t));
        r.stop();
        if (!sys.wait_stopped(r, 10s))
          ++full;
      }
    });
  for (auto& t : threads)
    t.join();
  CHECK(full == 0);
  CHECK(top.children().empty());
  CHECK(sys.shutdown().complete);
}
