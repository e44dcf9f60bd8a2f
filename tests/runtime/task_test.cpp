// SPDX-License-Identifier: BSD-3-Clause
// Claims: what a coroutine handler may do, what runs between its suspension points, and that nothing of it outlives its
// incarnation.
// Observed on stepped systems; frames are followed through a guard whose destructor counts.
#include <troupe/task.hpp>

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
using troupe::errc;
using troupe::task;

namespace {

struct fetch {
  int key;
  using reply = int;
};
struct boom {};
struct poke {
  using reply = int;
};
struct begin {
  std::string text;
  int key = 0;
  using reply = std::string;
};

/// Answers at the next tick of its own, so that askers are suspended until the clock moves.
class store : public troupe::actor<store, fetch, poke> {
public:
  int on(const fetch& m) { return m.key * 10; }
  int on(const poke&) { return 0; }
};

/// Answers after one second of simulated time for each key.
class slow_store : public troupe::actor<slow_store, fetch, poke> {
public:
  task<int> on(const fetch& m) {
    if (m.key < 0)
      throw std::out_of_range{"key"};
    auto wait = nobody_.ask(poke{}, std::chrono::seconds{m.key});
    (void)co_await wait.outcome(); // a deadline is the only thing that ends it
    co_return m.key * 10;
  }
  int on(const poke&) { return 0; }
  explicit slow_store(troupe::ref_to<poke> nobody) : nobody_{std::move(nobody)} {}

private:
  troupe::ref_to<poke> nobody_;
};

/// Waiting for its restart: what is sent to it is not handled before the clock has moved by an hour.
class asleep : public troupe::actor<asleep, poke, boom> {
public:
  int on(const poke&) { return 0; }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
};

troupe::ref<asleep> start_asleep(troupe::system& sys) {
  troupe::child_options o;
  o.restart = troupe::transient;
  o.backoff = troupe::backoff_options{.min = 1h, .max = 1h, .jitter = 0.0, .immediate_first = false};
  auto a = sys.root().start<asleep>("", o);
  a.tell(boom{});
  sys.run_until_idle();
  return a;
}

struct world {
  explicit world(std::uint64_t seed = 0) : sys{stepped(seed)} {}
  troupe::system sys;
  troupe::ref<slow_store> slow = sys.spawn<slow_store>(troupe::ref_to<poke>{start_asleep(sys)});
};

struct counters {
  int live = 0;
  int destroyed = 0;
};

struct guard {
  explicit guard(std::shared_ptr<counters> c) : c_{std::move(c)} { ++c_->live; }
  ~guard() {
    --c_->live;
    ++c_->destroyed;
  }
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

private:
  std::shared_ptr<counters> c_;
};

/// The actor under test: `begin` suspends for `key` seconds.
class worker : public troupe::actor<worker, begin, poke, boom> {
public:
  worker(troupe::ref<slow_store> s, std::shared_ptr<counters> c) : store_{std::move(s)}, counters_{std::move(c)} {}

  task<std::string> on(const begin& m) {
    guard outer{counters_};
    const int value = co_await nested(m.key);
    co_return m.text + std::to_string(value) + "/" + std::to_string(pokes_);
  }
  int on(const poke&) { return ++pokes_; }
  void on(const boom&) { throw std::runtime_error{"boom"}; }

private:
  task<int> nested(int key) {
    guard inner{counters_};
    co_return co_await store_.ask(fetch{key}, 1h);
  }

  troupe::ref<slow_store> store_;
  std::shared_ptr<counters> counters_;
  int pokes_ = 0;
};

const std::string long_text(100, 'x'); // not in a string's own buffer: a copy byte by byte would break

} // namespace

TEST_CASE("task: nested tasks hand values up and other messages are handled meanwhile") {
  world w;
  const auto c = std::make_shared<counters>();
  auto a = w.sys.spawn<worker>(w.slow, c);
  auto r = a.ask(begin{long_text, 2}, 1h);
  w.sys.run_until_idle();
  CHECK(c->live == 2);
  CHECK(a.ask(poke{}).get() == 1);
  CHECK(a.ask(poke{}).get() == 2);
  CHECK(a.books().queued == 1);
  w.sys.advance(2s);
  CHECK(std::move(r).get() == long_text + "20/2");
  CHECK(c->live == 0);
  CHECK(c->destroyed == 2);
}

TEST_CASE("task: handlers end in the order of their replies and not of their messages") {
  world w;
  auto a = w.sys.spawn<worker>(w.slow, std::make_shared<counters>());
  auto late = a.ask(begin{"a", 3}, 1h);
  auto soon = a.ask(begin{"b", 1}, 1h);
  w.sys.advance(1s);
  CHECK(soon.ready());
  CHECK_FALSE(late.ready());
  w.sys.advance(2s);
  CHECK(late.ready());
  CHECK(a.books() == troupe::ledger{.accepted = 2, .handled = 2});
}

namespace {

class throws : public troupe::actor<throws, begin, poke> {
public:
  explicit throws(troupe::ref<slow_store> s) : store_{std::move(s)} {}
  task<std::string> on(const begin& m) {
    if (m.text == "before")
      throw std::domain_error{"before"};
    if (m.text == "nested before")
      co_await fails(0);
    if (m.text == "nested after")
      co_await fails(1);
    if (m.text == "caught") {
      try {
        co_await fails(1);
      } catch (const std::domain_error&) {
        co_return "caught";
      }
    }
    (void)co_await store_.ask(fetch{1}, 1h);
    throw std::domain_error{"after"};
  }
  int on(const poke&) { return static_cast<int>(incarnation()); }

private:
  task<void> fails(int seconds) {
    if (seconds > 0)
      (void)co_await store_.ask(fetch{seconds}, 1h);
    throw std::domain_error{"nested"};
  }
  troupe::ref<slow_store> store_;
};

} // namespace

TEST_CASE("task: an exception before or after a suspension is the handler's failure") {
  world w;
  auto a = w.sys.spawn<throws>(w.slow);
  int restarts = 0;
  for (const char* text : {"before", "after", "nested before", "nested after"}) {
    CAPTURE(text);
    auto r = a.ask(begin{text}, 1h);
    w.sys.advance(30s);
    const auto result = std::move(r).try_get();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == errc::failed);
    CHECK(result.error().what.find("domain_error") != std::string::npos);
    CHECK(a.incarnation() == static_cast<unsigned>(++restarts));
  }
  auto r = a.ask(begin{"caught"}, 1h);
  w.sys.advance(1s);
  CHECK(std::move(r).get() == "caught");
  CHECK(a.books() == troupe::ledger{.accepted = 5, .handled = 1, .quarantined = 4});
}

namespace {

class alone : public troupe::actor<alone, begin, poke> {
public:
  static constexpr bool exclusive = true;
  explicit alone(troupe::ref<slow_store> s) : store_{std::move(s)} {}
  task<std::string> on(const begin& m) {
    const auto before = pokes_;
    (void)co_await store_.ask(fetch{m.key}, 1h);
    (void)co_await store_.ask(fetch{m.key}, 1h);
    co_return before == pokes_ ? "undisturbed" : "disturbed";
  }
  int on(const poke&) { return ++pokes_; }

private:
  troupe::ref<slow_store> store_;
  int pokes_ = 0;
};

class asks_itself : public troupe::actor<asks_itself, begin, poke> {
public:
  static constexpr bool exclusive = true;
  task<std::string> on(const begin&) {
    auto r = self().ask(poke{}, 1s);
    const auto result = co_await r.outcome();
    co_return result ? "answered" : to_string(result.error().code);
  }
  int on(const poke&) { return 1; }
};

} // namespace

TEST_CASE("task: an exclusive actor handles nothing else while a handler is suspended") {
  world w;
  auto a = w.sys.spawn<alone>(w.slow);
  auto r = a.ask(begin{"", 1}, 1h);
  auto poked = a.ask(poke{}, 1h);
  w.sys.advance(1s);
  CHECK_FALSE(poked.ready());
  CHECK(a.depth() == 1);
  w.sys.advance(1s);
  CHECK(std::move(r).get() == "undisturbed");
  CHECK(std::move(poked).get() == 1);
}

TEST_CASE("task: an exclusive actor that asks itself gets its deadline and goes on") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<asks_itself>();
  auto r = a.ask(begin{}, 1h);
  sys.advance(2s);
  CHECK(std::move(r).get() == "timed_out");
  CHECK(a.books() == troupe::ledger{.accepted = 2, .handled = 1, .expired = 1});
}

TEST_CASE("task: a suspended handler's frames and locals end with the incarnation or the actor or the system") {
  const auto c = std::make_shared<counters>();
  {
    world w;
    auto a = w.sys.spawn<worker>(w.slow, c);
    std::vector<troupe::reply<std::string>> pending;
    for (int i = 0; i < 10; ++i) {
      auto r = a.ask(begin{long_text, 1'000}, 1h);
      pending.push_back(std::move(r));
    }
    w.sys.run_until_idle();
    CHECK(c->live == 20);
    SUBCASE("restart") {
      a.tell(boom{});
      w.sys.run_until_idle();
      for (auto& r : pending) {
        const auto result = std::move(r).try_get();
        REQUIRE_FALSE(result);
        CHECK(result.error().code == errc::restarted);
      }
      CHECK(a.books().dropped == 10);
      CHECK(c->live == 0);
    }
    SUBCASE("stop") {
      a.stop();
      w.sys.run_until_idle();
      for (auto& r : pending) {
        const auto result = std::move(r).try_get();
        REQUIRE_FALSE(result);
        CHECK(result.error().code == errc::stopped);
      }
      CHECK(c->live == 0);
    }
    SUBCASE("kill") {
      a.kill();
      w.sys.run_until_idle();
      CHECK(c->live == 0);
    }
    SUBCASE("shutdown") {
      pending.clear();
      const auto report = w.sys.shutdown(10s);
      CHECK(report.complete);
      CHECK_FALSE(report.drained);
      CHECK(c->live == 0);
    }
    SUBCASE("the destructor of the system") { pending.clear(); }
  }
  CHECK(c->live == 0);
  CHECK(c->destroyed == 20);
}

TEST_CASE("task: a reply that arrives after the frame's end is harmless") {
  world w;
  const auto c = std::make_shared<counters>();
  auto a = w.sys.spawn<worker>(w.slow, c);
  a.tell(begin{long_text, 1});
  w.sys.run_until_idle();
  a.tell(boom{});
  w.sys.run_until_idle();
  CHECK(c->live == 0);
  w.sys.advance(5s);
  CHECK(a.ask(poke{}).get() == 1);
  CHECK(a.books() == troupe::ledger{.accepted = 3, .handled = 1, .dropped = 1, .quarantined = 1});
}

TEST_CASE("task: stop in a resumed handler ends the actor and the other suspended handlers") {
  class stops : public troupe::actor<stops, begin> {
  public:
    stops(troupe::ref<slow_store> s, std::shared_ptr<counters> c) : store_{std::move(s)}, counters_{std::move(c)} {}
    task<std::string> on(const begin& m) {
      guard g{counters_};
      (void)co_await store_.ask(fetch{m.key}, 1h);
      stop();
      co_return "last";
    }

  private:
    troupe::ref<slow_store> store_;
    std::shared_ptr<counters> counters_;
  };
  world w;
  const auto c = std::make_shared<counters>();
  auto a = w.sys.spawn<stops>(w.slow, c);
  auto first = a.ask(begin{"", 1}, 1h);
  auto second = a.ask(begin{"", 2}, 1h);
  w.sys.advance(1s);
  CHECK(a.has_stopped());
  CHECK(std::move(first).get() == "last");
  CHECK(std::move(second).try_get().error().code == errc::stopped);
  CHECK(c->live == 0);
}

TEST_CASE("task: 1024 suspended handlers hold the mailbox back until one ends") {
  world w;
  const auto c = std::make_shared<counters>();
  auto a = w.sys.spawn<worker>(w.slow, c);
  a.tell(begin{"", 1});
  for (int i = 1; i < 1'024; ++i)
    a.tell(begin{"", 100});
  w.sys.run_until_idle();
  // The store holds its own requests back in the same way; so count here.
  CHECK(c->live == 2 * 1'024);
  auto poked = a.ask(poke{}, 1h);
  w.sys.run_until_idle();
  CHECK_FALSE(poked.ready());
  CHECK(a.depth() == 1);
  w.sys.advance(1s);
  CHECK(std::move(poked).get() == 1);
  CHECK(w.sys.shutdown(1h).complete);
  CHECK(c->live == 0);
  CHECK(w.sys.books().balanced());
}

TEST_CASE("task: drain waits for suspended handlers and serves nothing that came after it") {
  world w;
  const auto c = std::make_shared<counters>();
  auto a = w.sys.spawn<worker>(w.slow, c);
  auto r = a.ask(begin{"", 2}, 1h);
  w.sys.run_until_idle();
  a.drain();
  w.sys.run_until_idle();
  CHECK_FALSE(a.has_stopped());
  auto late = a.ask(poke{}, 1h);
  w.sys.run_until_idle(10'000); // must come to rest
  CHECK_FALSE(late.ready());
  w.sys.advance(2s);
  CHECK(a.has_stopped());
  CHECK(std::move(r).get() == "20/0");
  CHECK(std::move(late).try_get().error().code == errc::stopped);
}

TEST_CASE("task: drain outlasts a restart") {
  world w;
  auto a = w.sys.spawn<worker>(w.slow, std::make_shared<counters>());
  a.tell(boom{});
  a.tell(poke{});
  a.drain();
  w.sys.advance(1min);
  CHECK(a.has_stopped());
  CHECK(a.books() == troupe::ledger{.accepted = 2, .handled = 1, .quarantined = 1});
}

TEST_CASE("task: one that is given up midway ends its frame at once") {
  class gives_up : public troupe::actor<gives_up, begin> {
  public:
    gives_up(troupe::ref<slow_store> s, std::shared_ptr<counters> c) : store_{std::move(s)}, counters_{std::move(c)} {}
    std::string on(const begin&) {
      {
        auto abandoned = nested();
        CHECK_FALSE(abandoned.done());
        CHECK(counters_->live == 1);
      }
      return counters_->live == 0 ? "gone" : "alive";
    }

  private:
    task<int> nested() {
      guard g{counters_};
      co_return co_await store_.ask(fetch{1}, 1h);
    }
    troupe::ref<slow_store> store_;
    std::shared_ptr<counters> counters_;
  };
  world w;
  auto a = w.sys.spawn<gives_up>(w.slow, std::make_shared<counters>());
  CHECK(a.ask(begin{}).get() == "gone");
  w.sys.advance(5s);
  CHECK(w.sys.books().balanced());
}

TEST_CASE("task: many suspensions one after another keep no memory") {
  class loops : public troupe::actor<loops, begin> {
  public:
    explicit loops(troupe::ref<store> s) : store_{std::move(s)} {}
    task<std::string> on(const begin& m) {
      long sum = 0;
      for (int i = 0; i < m.key; ++i)
        sum += co_await store_.ask(fetch{1}, 1h);
      co_return std::to_string(sum);
    }

  private:
    troupe::ref<store> store_;
  };
  troupe::system sys{stepped()};
  auto a = sys.spawn<loops>(sys.spawn<store>());
  CHECK(a.ask(begin{"", 100'000}, 1h).get() == "1000000");
}
