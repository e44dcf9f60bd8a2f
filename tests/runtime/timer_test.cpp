// SPDX-License-Identifier: BSD-3-Clause
// Claims: when timers tick, what replaces, cancels and ends them, and that they keep nothing alive.
// Observed on stepped systems through the log of what was handled at which time.
#include <troupe/engine/system_core.hpp>
#include <troupe/timer.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;
using troupe::task;

namespace {

struct tick {
  std::string who;
};
struct command {
  std::string what;
};
struct hang {};
struct boom {};

using log_book = std::shared_ptr<std::vector<std::string>>;

class clockwork : public troupe::actor<clockwork, tick, command, boom, hang> {
public:
  explicit clockwork(log_book log, bool at_start = false) : log_{std::move(log)} {
    if (at_start)
      after(1s, tick{"constructor"});
  }
  void on(const tick& m) {
    note(m.who);
    if (m.who == "cancels b")
      b_.cancel();
    if (m.who == "cancels key")
      cancel_timer("key");
    if (m.who == "replaces key")
      after("key", 1s, tick{"new"});
    if (m.who == "once" && repeated_.active() && ++seen_ == 1)
      repeated_.cancel();
  }
  void on(const command& m) {
    if (m.what == "once")
      after(1s, tick{"once"});
    if (m.what == "zero")
      after(0s, tick{"zero"});
    if (m.what == "negative")
      after(-5s, tick{"negative"});
    if (m.what == "never")
      after(std::chrono::nanoseconds::max(), tick{"never"});
    if (m.what == "every")
      b_ = every(1s, tick{"every"});
    if (m.what == "cancel")
      b_.cancel();
    if (m.what == "active")
      note(b_.active() ? "active" : "inactive");
    if (m.what == "both due, a cancels b") {
      after(1s, tick{"cancels b"});
      b_ = after(1s, tick{"b"});
    }
    if (m.what == "both due, a cancels periodic b") {
      after(1s, tick{"cancels b"});
      b_ = every(1s, tick{"b"});
    }
    if (m.what == "both due, a cancels key") {
      after(1s, tick{"cancels key"});
      after("key", 1s, tick{"old"});
    }
    if (m.what == "both due, a replaces key") {
      after(1s, tick{"replaces key"});
      after("key", 1s, tick{"old"});
    }
    if (m.what == "key 1")
      after("key", 1s, tick{"one"});
    if (m.what == "key 2")
      every("key", 2s, tick{"two"});
    if (m.what == "other key")
      after("other", 1s, tick{"other"});
    if (m.what == "cancel key")
      cancel_timer("key");
  }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  void on(const hang&) {}

private:
  void note(const std::string& what) {
    log_->push_back(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count()) +
                    " " + what);
  }
  log_book log_;
  troupe::timer b_;
  troupe::timer repeated_;
  int seen_ = 0;
};

struct world {
  troupe::system sys{stepped()};
  log_book log = std::make_shared<std::vector<std::string>>();
  troupe::ref<clockwork> a = sys.spawn<clockwork>(log);
  void say(const char* what) {
    a.tell(command{what});
    sys.run_until_idle();
  }
};

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("timer: after ticks once at its time") {
  world w;
  w.say("once");
  w.sys.advance(999ms);
  CHECK(w.log->empty());
  w.sys.advance(1ms);
  CHECK(*w.log == lines{"1 once"});
  w.sys.advance(10s);
  CHECK(w.log->size() == 1);
  CHECK(w.a.books() == troupe::ledger{.accepted = 2, .handled = 2}); // a tick is a message like others
}

TEST_CASE("timer: a delay of zero or less is due at once and one beyond all time never") {
  world w;
  w.say("zero");
  w.say("negative");
  w.say("never");
  w.sys.advance(0ns);
  CHECK(*w.log == lines{"0 negative", "0 zero"}); // in the order of their times
  w.sys.advance(24h * 365);
  CHECK(w.log->size() == 2);
}

TEST_CASE("timer: every ticks at a fixed rate until it is cancelled") {
  world w;
  w.say("every");
  w.say("active");
  w.sys.advance(3s);
  CHECK(*w.log == lines{"0 active", "1 every", "2 every", "3 every"});
  w.say("cancel");
  w.say("active");
  w.sys.advance(10s);
  CHECK(w.log->size() == 5);
  CHECK(w.log->back() == "3 inactive");
}

TEST_CASE("timer: a period of zero or less is refused") {
  class hasty : public troupe::actor<hasty, tick> {
  public:
    hasty(std::string key, std::chrono::nanoseconds period) {
      if (key.empty())
        every(period, tick{});
      else
        every(key, period, tick{});
    }
    void on(const tick&) {}
  };
  troupe::system sys{stepped()};
  for (const auto* key : {"", "key"})
    for (const auto period : {0ns, -1ns})
      CHECK_THROWS_AS(sys.spawn<hasty>(key, period), troupe::usage_error);
  CHECK_NOTHROW(sys.spawn<hasty>("key", 1s));
}

TEST_CASE("timer: one that has ticked for the last time is not active and can be cancelled again") {
  world w;
  w.say("both due, a cancels b");
  w.say("active");
  w.sys.advance(5s);
  w.say("cancel");
  w.say("cancel");
  w.say("active");
  CHECK(*w.log == lines{"0 active", "1 cancels b", "5 inactive"});
}

TEST_CASE("timer: cancelling takes back a tick that is due already") {
  world w;
  SUBCASE("of a single timer") {
    w.say("both due, a cancels b");
    w.sys.advance(10s);
    CHECK(*w.log == lines{"1 cancels b"});
  }
  SUBCASE("of a periodic timer") {
    w.say("both due, a cancels periodic b");
    w.sys.advance(10s);
    CHECK(*w.log == lines{"1 cancels b"});
  }
  SUBCASE("by key") {
    w.say("both due, a cancels key");
    w.sys.advance(10s);
    CHECK(*w.log == lines{"1 cancels key"});
  }
  SUBCASE("by a new timer of the same key") {
    w.say("both due, a replaces key");
    w.sys.advance(10s);
    CHECK(*w.log == lines{"1 replaces key", "2 new"});
  }
  CHECK(w.a.books().balanced());
}

TEST_CASE("timer: a key has one timer and the last one counts") {
  world w;
  w.say("key 1");
  w.say("other key");
  w.say("key 2");
  w.sys.advance(4s);
  CHECK(*w.log == lines{"1 other", "2 two", "4 two"});
  w.say("cancel key");
  w.say("cancel key");
  w.sys.advance(10s);
  CHECK(w.log->size() == 3);
}

TEST_CASE("timer: one started in the constructor ticks in each incarnation") {
  troupe::system sys{stepped()};
  const auto log = std::make_shared<lines>();
  auto a = sys.spawn<clockwork>(log, true);
  sys.advance(500ms);
  a.tell(boom{});
  sys.advance(600ms); // the first one's time has passed
  CHECK(log->empty());
  sys.advance(1s);
  CHECK(*log == lines{"1 constructor"});
  CHECK(a.incarnation() == 1);
}

TEST_CASE("timer: no tick of an old incarnation reaches a new one") {
  world w;
  SUBCASE("armed") {
    w.say("once");
    w.say("every");
    w.a.tell(boom{});
    w.sys.advance(10s);
  }
  SUBCASE("due already when the handler fails") {
    w.say("once");
    w.say("every");
    // The clock passes the timers' time while the failing message is queued before them.
    auto clock = std::dynamic_pointer_cast<troupe::manual_clock>(w.sys.through().clock);
    w.a.tell(boom{});
    clock->advance(1s);
    w.sys.core().timers->run_due(w.sys.now());
    w.sys.advance(10s);
  }
  // Ticks may be handled before the failing message, at second 1; nothing comes later.
  for (const auto& line : *w.log)
    CHECK(line.substr(0, 2) == "1 ");
  CHECK(w.a.incarnation() == 1);
}

TEST_CASE("timer: it ends with the actor and keeps neither object nor cell") {
  const auto log = std::make_shared<lines>();
  troupe::system sys{stepped()};
  auto a = sys.spawn<clockwork>(log);
  a.tell(command{"once"});
  a.tell(command{"every"});
  a.tell(command{"never"});
  a.tell(command{"key 2"});
  sys.run_until_idle();
  a.stop();
  sys.run_until_idle();
  a = {};
  CHECK(log.use_count() == 1); // arguments and object are gone, so the cell is
  sys.advance(10s);
  CHECK(log->empty());
}

TEST_CASE("timer: it keeps neither object nor cell beyond the system") {
  const auto log = std::make_shared<lines>();
  {
    troupe::system sys{stepped()};
    auto a = sys.spawn<clockwork>(log, true);
    a.tell(command{"every"});
    sys.run_until_idle();
  }
  CHECK(log.use_count() == 1);
}

namespace {

/// Not served while its handler waits: ticks become due and cannot be received.
class busy : public troupe::actor<busy, tick, hang, command> {
public:
  static constexpr bool exclusive = true;
  explicit busy(log_book log) : log_{std::move(log)} {}
  void on(const tick&) {
    log_->push_back(
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch()).count()));
  }
  void on(const command&) { every(100ms, tick{}); }
  task<void> on(const hang&) {
    auto r = self().ask(command{"never handled in time"}, 1'050ms);
    (void)co_await r.outcome();
  }

private:
  log_book log_;
};

} // namespace

TEST_CASE("timer: ticks that come due before the last one was received are skipped") {
  troupe::system sys{stepped()};
  const auto log = std::make_shared<lines>();
  auto a = sys.spawn<busy>(log);
  a.tell(command{});
  a.tell(hang{});
  sys.advance(1'250ms);
  CHECK(*log == lines{"1050", "1100", "1200"}); // one for the ten that it was too busy for
}

TEST_CASE("timer: a clock that jumps makes one tick and the rate stays") {
  world w;
  w.say("every");
  auto clock = std::dynamic_pointer_cast<troupe::manual_clock>(w.sys.through().clock);
  clock->advance(5'500ms);
  w.sys.advance(0ns);
  CHECK(*w.log == lines{"5 every"});
  w.sys.advance(1s);
  CHECK(*w.log == lines{"5 every", "6 every"});
}

TEST_CASE("timer: timers of many actors tick in the order of their times") {
  troupe::system sys{stepped()};
  static std::vector<int> order;
  order.clear();
  struct ring {
    int n;
  };
  class alarm : public troupe::actor<alarm, ring> {
  public:
    explicit alarm(int n) { after(std::chrono::milliseconds{1 + (n * 37) % 100}, ring{(n * 37) % 100}); }
    void on(const ring& m) { order.push_back(m.n); }
  };
  for (int i = 0; i < 100; ++i)
    sys.spawn<alarm>(i);
  sys.advance(1s);
  CHECK(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("timer: real timers tick on threads") {
  struct ring {};
  class counter : public troupe::actor<counter, ring> {
  public:
    counter() { every(1ms, ring{}); }
    void on(const ring&) {
      if (++n_ == 20)
        stop();
    }

  private:
    int n_ = 0;
  };
  troupe::system sys{{.workers = 2}};
  auto c = sys.spawn<counter>();
  CHECK(sys.wait_stopped(c, 20s));
  CHECK(c.books().balanced());
}

namespace {

/// Its ticks come all at once, and in the first of them it sends itself a message, or wants to be drained.
class rung : public troupe::actor<rung, tick, command> {
public:
  explicit rung(log_book log, bool drains = false) : log_{std::move(log)}, drains_{drains} {
    for (int i = 0; i < 40; ++i)
      after(1s, tick{});
  }
  void on(const tick&) {
    log_->push_back("tick");
    if (log_->size() == 1 && drains_)
      self().drain();
    else if (log_->size() == 1)
      self().tell(command{});
  }
  void on(const command&) { log_->push_back("message"); }

private:
  const log_book log_;
  const bool drains_;
};

} // namespace

TEST_CASE("timer: a message waits for so many ticks at most") {
  troupe::system sys{stepped()};
  const auto log = std::make_shared<std::vector<std::string>>();
  auto a = sys.spawn<rung>(log);
  sys.advance(1s);
  REQUIRE(log->size() == 41);
  CHECK((*log)[16] == "message");
  CHECK(a.books() == troupe::ledger{.accepted = 41, .handled = 41});
}

TEST_CASE("timer: a drain does not wait for the ticks that are due") {
  troupe::system sys{stepped()};
  const auto log = std::make_shared<std::vector<std::string>>();
  auto a = sys.spawn<rung>(log, true);
  sys.advance(1s);
  CHECK(a.has_stopped());
  CHECK(log->size() == 16);
  CHECK(a.books() == troupe::ledger{.accepted = 16, .handled = 16});
}
