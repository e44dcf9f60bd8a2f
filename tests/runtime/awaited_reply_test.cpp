// SPDX-License-Identifier: BSD-3-Clause
// Claims: what actors ask each other is awaited in any order, given up at any time, and ends with the deadline of the message in
// hand, with a restart, or with the last one who could answer. Observed on stepped systems, and on one with threads.
#include "reply_stage.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace reply_stage;

namespace {

struct ask_nobody {
  using reply = int;
};

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

TEST_CASE("reply: a restart fails the requests whose handlers were suspended") {
  troupe::system sys{stepped()};
  class holds : public troupe::actor<holds, ask_nobody, boom> {
  public:
    explicit holds(troupe::ref<sleeper> s) : s_{std::move(s)} {}
    task<int> on(const ask_nobody&) { co_return co_await s_.ask(never{}, 1h); }
    void on(const boom&) { throw std::runtime_error{"boom"}; }

  private:
    troupe::ref<sleeper> s_;
  };
  auto h = sys.spawn<holds>(start_asleep(sys));
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
