// SPDX-License-Identifier: BSD-3-Clause
// Claims: each ask gets exactly one outcome, a value or the error that says what became of the request.
// Observed on stepped systems; on threads only where a blocked thread is the claim.
#include <troupe/reply.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;
using support::with_mailbox;
using troupe::errc;
using troupe::reply;
using troupe::task;

namespace {

struct square {
  int n;
  using reply = int;
};
struct text {
  using reply = std::string;
};
struct fail {
  using reply = int;
};
struct note {
  using reply = void;
};

class server : public troupe::actor<server, square, text, fail, note> {
public:
  int on(const square& m) {
    ++calls;
    return m.n * m.n;
  }
  std::string on(const text&) { return "text"; }
  int on(const fail&) { throw std::domain_error{"cannot"}; }
  void on(const note&) {}
  static inline int calls = 0;
};

/// Never answers: its handler waits for a reply that nobody gives.
struct ask_nobody {
  using reply = int;
};
struct boom {};
struct count_suspended {
  using reply = int;
};

struct never {
  using reply = int;
};

class silent : public troupe::actor<silent, never> {
public:
  int on(const never&) { return 0; }
};

class waiter : public troupe::actor<waiter, ask_nobody, boom, count_suspended> {
public:
  explicit waiter(troupe::ref<silent> whom) : whom_{std::move(whom)} {}
  task<int> on(const ask_nobody&) {
    ++waiting;
    co_return co_await whom_.ask(never{}, 1h);
  }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  int on(const count_suspended&) { return waiting; }
  int waiting = 0;

private:
  troupe::ref<silent> whom_;
};

errc code_of(troupe::result<int> r) {
  REQUIRE_FALSE(r);
  return r.error().code;
}

/// Fails twice at once, so that its supervisor makes it wait: what is sent to it stays queued until the clock moves on.
class sleeper : public troupe::actor<sleeper, never, boom> {
public:
  int on(const never&) { return 5; }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
};

troupe::ref<sleeper> start_asleep(troupe::system& sys, troupe::child_options o = {}) {
  o.restart = troupe::transient;
  o.backoff = troupe::backoff_options{.min = 60s, .max = 60s, .jitter = 0.0, .immediate_first = false};
  auto a = sys.root().start<sleeper>("", o);
  a.tell(boom{});
  sys.run_until_idle();
  return a;
}

} // namespace

TEST_CASE("reply: get gives the value and void replies are acknowledgements") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  CHECK(s.ask(square{7}).get() == 49);
  CHECK(s.ask(text{}).get() == "text");
  s.ask(note{}).get();
  const auto r = s.ask(note{}).try_get();
  CHECK(r.has_value());
  auto pending = s.ask(square{3});
  CHECK_FALSE(pending.ready());
  sys.run_until_idle();
  CHECK(pending.ready());
  CHECK(std::move(pending).try_get().value() == 9);
}

TEST_CASE("reply: a handler that failed is errc failed with what it threw") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  const auto r = s.ask(fail{}).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == errc::failed);
  CHECK(r.error().what.find("domain_error") != std::string::npos);
  CHECK(r.error().what.find("cannot") != std::string::npos);
  try {
    (void)s.ask(fail{}).get();
    FAIL("no exception");
  } catch (const troupe::request_error& e) {
    CHECK(e.code() == errc::failed);
    CHECK(std::string{e.what()}.find("cannot") != std::string::npos);
  }
}

TEST_CASE("reply: a failed request that succeeds when it is retried is answered once") {
  struct shaky {
    using reply = int;
  };
  class fails_once : public troupe::actor<fails_once, shaky> {
  public:
    int on(const shaky&) {
      if (incarnation() == 0)
        throw std::runtime_error{"first"};
      return 1;
    }
  };
  troupe::system sys{stepped()};
  troupe::child_options o;
  o.retries = 1;
  auto a = sys.root().start<fails_once>("a", o);
  CHECK(a.ask(shaky{}).get() == 1);
  CHECK(a.books() == troupe::ledger{.accepted = 1, .handled = 1});
}

TEST_CASE("reply: no answer in time is errc timed_out at the deadline and not before") {
  troupe::system sys{stepped()};
  auto a = start_asleep(sys);
  auto r = a.ask(never{}, 200ms);
  sys.advance(199ms);
  CHECK_FALSE(r.ready());
  sys.advance(1ms);
  CHECK(r.ready());
  CHECK(code_of(std::move(r).try_get()) == errc::timed_out);
}

TEST_CASE("reply: an expired request is dropped before it runs and counted") {
  troupe::system sys{stepped()};
  auto a = start_asleep(sys);
  auto r = a.ask(never{}, 200ms);
  sys.advance(300ms);
  CHECK(a.depth() == 1);
  sys.advance(60s);
  CHECK(a.incarnation() == 1);
  CHECK(a.books() == troupe::ledger{.accepted = 2, .expired = 1, .quarantined = 1});
  CHECK(code_of(std::move(r).try_get()) == errc::timed_out);
}

TEST_CASE("reply: a late reply changes nothing") {
  // The request has left the mailbox in time; its handler answers after the deadline.
  class slow : public troupe::actor<slow, never, boom> {
  public:
    explicit slow(troupe::ref<sleeper> s) : s_{std::move(s)} {}
    task<int> on(const never&) {
      auto r = s_.ask(never{}, 1h);
      const auto late = co_await r.outcome(); // inherits the deadline and comes back with an error
      (void)late;
      auto again = s_.ask(never{}, 1h); // expired at once
      (void)co_await again.outcome();
      co_return 1;
    }
    void on(const boom&) {}

  private:
    troupe::ref<sleeper> s_;
  };
  troupe::system sys{stepped()};
  auto a = sys.spawn<slow>(start_asleep(sys));
  auto r = a.ask(never{}, 100ms);
  sys.advance(10s);
  CHECK(code_of(std::move(r).try_get()) == errc::timed_out);
  CHECK(a.books().handled == 1); // it did come to its end
  CHECK(a.books().balanced());
}

TEST_CASE("reply: a full mailbox is an error at once") {
  troupe::system sys{stepped()};
  SUBCASE("reject is mailbox_full") {
    auto s = sys.root().start<server>("s", with_mailbox(1, troupe::reject));
    s.tell(note{});
    auto r = s.ask(square{1});
    CHECK(r.ready());
    CHECK(code_of(std::move(r).try_get()) == errc::mailbox_full);
  }
  SUBCASE("drop_newest is dropped") {
    auto s = sys.root().start<server>("s", with_mailbox(1, troupe::drop_newest));
    s.tell(note{});
    auto r = s.ask(square{1});
    CHECK(r.ready());
    CHECK(code_of(std::move(r).try_get()) == errc::dropped);
  }
  SUBCASE("drop_oldest is dropped for the one that had to go") {
    auto s = sys.root().start<server>("s", with_mailbox(1, troupe::drop_oldest));
    auto first = s.ask(square{1});
    auto second = s.ask(square{2});
    CHECK(first.ready());
    CHECK_FALSE(second.ready());
    CHECK(code_of(std::move(first).try_get()) == errc::dropped);
    CHECK(std::move(second).get() == 4);
  }
}

TEST_CASE("reply: a stopped receiver is errc stopped whether it stopped before or after the ask") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  auto queued = s.ask(square{1});
  s.stop();
  sys.run_until_idle();
  // The order to stop goes before the message.
  CHECK(queued.ready());
  CHECK(code_of(std::move(queued).try_get()) == errc::stopped);
  auto late = s.ask(square{1});
  CHECK(late.ready());
  CHECK(code_of(std::move(late).try_get()) == errc::stopped);
}

TEST_CASE("reply: a restart fails the requests whose handlers were suspended") {
  troupe::system sys{stepped()};
  auto w = sys.spawn<waiter>(troupe::ref<silent>{sys.spawn<silent>()});
  // The silent actor does answer; so let it stand behind one that is asleep.
  auto asleep = start_asleep(sys);
  class holds : public troupe::actor<holds, ask_nobody, boom> {
  public:
    explicit holds(troupe::ref<sleeper> s) : s_{std::move(s)} {}
    task<int> on(const ask_nobody&) { co_return co_await s_.ask(never{}, 1h); }
    void on(const boom&) { throw std::runtime_error{"boom"}; }

  private:
    troupe::ref<sleeper> s_;
  };
  auto h = sys.spawn<holds>(asleep);
  auto r = h.ask(ask_nobody{}, 1h);
  sys.run_until_idle();
  CHECK_FALSE(r.ready());
  h.tell(boom{});
  sys.run_until_idle();
  CHECK(r.ready());
  CHECK(code_of(std::move(r).try_get()) == errc::restarted);
  CHECK(h.incarnation() == 1);
  sys.advance(61s); // the answer arrives for nobody
  CHECK(h.books() == troupe::ledger{.accepted = 2, .dropped = 1, .quarantined = 1});
  CHECK(w.ask(ask_nobody{}).get() == 0);
}

TEST_CASE("reply: a request that nobody will answer any more is errc no_reply") {
  class leaks : public troupe::actor<leaks, square> {
  public:
    explicit leaks(std::optional<reply<int>>* out) {
      out->emplace(self().ask(square{1}));
      throw std::runtime_error{"not started"};
    }
    int on(const square&) { return 0; }
  };
  troupe::system sys{stepped()};
  std::optional<reply<int>> r;
  CHECK_THROWS(sys.spawn<leaks>(&r));
  REQUIRE(r);
  CHECK(r->ready());
  CHECK(code_of(std::move(*r).try_get()) == errc::no_reply);
}

namespace {

class blocks : public troupe::actor<blocks, text, never> {
public:
  blocks(troupe::ref<server> s, bool in_constructor) : s_{std::move(s)} {
    if (in_constructor)
      (void)s_.ask(square{1}).get();
  }
  std::string on(const text&) {
    try {
      return std::to_string(s_.ask(square{1}).get());
    } catch (const troupe::usage_error& e) {
      return e.what();
    }
  }
  int on(const never&) {
    try {
      return s_.ask(square{1}).try_get().value();
    } catch (const troupe::usage_error&) {
      return -1;
    }
  }

private:
  troupe::ref<server> s_;
};

} // namespace

TEST_CASE("reply: get inside an actor is a usage_error and does not block") {
  SUBCASE("stepped") {
    troupe::system sys{stepped()};
    auto s = sys.spawn<server>();
    auto b = sys.spawn<blocks>(s, false);
    CHECK(b.ask(text{}).get().find("co_await") != std::string::npos);
    CHECK(b.ask(never{}).get() == -1);
    CHECK_THROWS_AS(sys.spawn<blocks>(s, true), troupe::usage_error);
  }
  SUBCASE("threaded") {
    troupe::system sys{{.workers = 1}};
    auto s = sys.spawn<server>();
    auto b = sys.spawn<blocks>(s, false);
    CHECK(b.ask(text{}).get().find("co_await") != std::string::npos);
  }
}

TEST_CASE("reply: get blocks a thread outside until the reply is there") {
  class gated : public troupe::actor<gated, never> {
  public:
    explicit gated(std::latch* gate) : gate_{gate} {}
    int on(const never&) {
      gate_->wait();
      return 3;
    }

  private:
    std::latch* gate_;
  };
  std::latch gate{1};
  troupe::system sys{{.workers = 1}};
  auto g = sys.spawn<gated>(&gate);
  auto r = g.ask(never{}, 1h);
  std::jthread opens{[&] { gate.count_down(); }};
  CHECK(std::move(r).get() == 3);
}

TEST_CASE("reply: a deadline in real time ends the wait of a thread") {
  std::latch gate{1};
  class gated : public troupe::actor<gated, never> {
  public:
    explicit gated(std::latch* gate) : gate_{gate} {}
    int on(const never&) {
      gate_->wait();
      return 3;
    }

  private:
    std::latch* gate_;
  };
  troupe::system sys{{.workers = 1}};
  auto g = sys.spawn<gated>(&gate);
  CHECK(code_of(g.ask(never{}, 20ms).try_get()) == errc::timed_out);
  gate.count_down();
  CHECK(sys.shutdown().complete);
}

namespace {

struct go {
  using reply = std::string;
};

/// Runs a list of scripts as one coroutine handler.
class asker : public troupe::actor<asker, go, boom> {
public:
  using script = task<std::string> (*)(asker&);
  asker(troupe::ref<server> s, troupe::ref<sleeper> asleep, script run)
      : server_ref{std::move(s)}, asleep_ref{std::move(asleep)}, run_{run} {}
  task<std::string> on(const go&) { co_return co_await run_(*this); }
  void on(const boom&) { throw std::runtime_error{"boom"}; }

  troupe::ref<server> server_ref;
  troupe::ref<sleeper> asleep_ref;
  using troupe::actor_base::now;

private:
  script run_;
};

std::string run_script(asker::script script, std::chrono::nanoseconds timeout = 5s) {
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  auto a = sys.spawn<asker>(s, start_asleep(sys), script);
  auto r = a.ask(go{}, timeout);
  auto result = std::move(r).try_get();
  sys.run_until_idle();
  CHECK(sys.shutdown(1h).complete);
  CHECK(sys.books().balanced());
  return result ? result.value() : std::string{to_string(result.error().code)};
}

} // namespace

TEST_CASE("reply: replies may be awaited in any order and after their arrival") {
  CHECK(run_script([](asker& self) -> task<std::string> {
          auto a = self.server_ref.ask(square{1});
          auto b = self.server_ref.ask(square{2});
          auto c = self.server_ref.ask(square{3});
          const int third = co_await c; // by then all have come
          const int first = co_await a;
          const int second = co_await b;
          co_return std::to_string(first) + " " + std::to_string(second) + " " + std::to_string(third);
        }) == "1 4 9");
}

TEST_CASE("reply: awaiting throws a request_error and outcome does not throw") {
  CHECK(run_script([](asker& self) -> task<std::string> {
          std::string said;
          try {
            (void)co_await self.server_ref.ask(fail{});
          } catch (const troupe::request_error& e) {
            said = to_string(e.code());
          }
          auto pending = self.server_ref.ask(fail{});
          const auto r = co_await pending.outcome();
          co_return said + " " + to_string(r.error().code) + " " + (r ? "value" : "error");
        }) == "failed failed error");
}

TEST_CASE("reply: it may be given up before and after its arrival") {
  server::calls = 0;
  CHECK(run_script([](asker& self) -> task<std::string> {
          (void)self.server_ref.ask(square{1}); // before
          {
            auto arrives = self.server_ref.ask(square{2});
            co_await self.server_ref.ask(note{}); // after: both are answered in order
          }
          co_return "done";
        }) == "done");
  CHECK(server::calls == 2); // the requests were handled all the same
}

TEST_CASE("reply: an ask in a handler keeps the deadline of the message in hand if that is earlier") {
  CHECK(run_script(
            [](asker& self) -> task<std::string> {
              const auto begin = self.now();
              auto inherits = self.asleep_ref.ask(never{}, 1h);
              const auto r = co_await inherits.outcome();
              CHECK(self.now() - begin == 100ms);
              co_return to_string(r.error().code);
            },
            100ms) == "timed_out");
  CHECK(run_script(
            [](asker& self) -> task<std::string> {
              const auto begin = self.now();
              auto own = self.asleep_ref.ask(never{}, 40ms);
              (void)co_await own.outcome();
              const auto first = self.now() - begin;
              auto rest = self.asleep_ref.ask(never{}, 1h); // after a suspension too
              (void)co_await rest.outcome();
              CHECK(first == 40ms);
              CHECK(self.now() - begin == 100ms);
              co_return "";
            },
            100ms) == "timed_out");
}

TEST_CASE("reply: an ask made in the constructor is awaited in a handler") {
  class early : public troupe::actor<early, never> {
  public:
    explicit early(troupe::ref<server> s) : answer_{s.ask(square{6})} {}
    task<int> on(const never&) { co_return co_await answer_; }

  private:
    reply<int> answer_;
  };
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  auto e = sys.spawn<early>(s);
  sys.run_until_idle();
  CHECK(e.ask(never{}).get() == 36);
  auto unused = sys.spawn<early>(s); // and it may end unawaited
  unused.stop();
  sys.run_until_idle();
  CHECK(unused.has_stopped());
}

TEST_CASE("reply: one made outside cannot be awaited by an actor") {
  class thief : public troupe::actor<thief, never> {
  public:
    explicit thief(std::shared_ptr<std::optional<reply<int>>> r) : stolen_{std::move(r)} {}
    task<int> on(const never&) {
      auto mine = std::move(**stolen_);
      try {
        co_return co_await mine;
      } catch (const troupe::usage_error&) {
        co_return -1;
      }
    }

  private:
    std::shared_ptr<std::optional<reply<int>>> stolen_;
  };
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  auto r = std::make_shared<std::optional<reply<int>>>(s.ask(square{1}));
  auto t = sys.spawn<thief>(r);
  CHECK(t.ask(never{}).get() == -1);
}

TEST_CASE("reply: assigning to one gives the earlier one up") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  auto r = s.ask(square{2});
  r = s.ask(square{3});
  CHECK(std::move(r).get() == 9);
  CHECK(s.books().handled == 2);
}

TEST_CASE("reply: a timeout of zero or below or beyond all time is a deadline too") {
  troupe::system sys{stepped()};
  auto a = start_asleep(sys);
  sys.advance(1s);
  for (auto timeout : {std::chrono::nanoseconds{0}, std::chrono::nanoseconds{-5s}, std::chrono::nanoseconds::min()}) {
    auto r = a.ask(never{}, timeout);
    sys.advance(0ns);
    CHECK(r.ready());
    CHECK(code_of(std::move(r).try_get()) == errc::timed_out);
  }
  auto r = a.ask(never{}, std::chrono::nanoseconds::max());
  sys.advance(24h);
  CHECK(std::move(r).get() == 5);
}

TEST_CASE("reply: a stepped system says so if nobody will ever answer") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<server>();
  auto r = s.ask(square{2}, std::chrono::nanoseconds::max());
  s.kill();
  CHECK(code_of(std::move(r).try_get()) == errc::stopped);
}
