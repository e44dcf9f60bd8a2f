// SPDX-License-Identifier: BSD-3-Clause
// Claims: each ask gets exactly one outcome, a value or the error that says what became of the request.
// Observed on stepped systems; on threads only where a blocked thread is the claim.
#include "reply_stage.hpp"

#include <chrono>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace reply_stage;

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
