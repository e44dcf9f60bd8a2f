// SPDX-License-Identifier: BSD-3-Clause
// Claims: a journaled actor tries its last messages on the fresh incarnation before it goes live, without any effect; what
// fails again there is quarantined without another restart, and an incarnation that is not fit is no success.
// Observed: the counter's state, its journal's length, and the events, in a stepped system.
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/testing/store_probe.hpp>

#include "support/stepped_system.hpp"
#include "support/supervision_stage.hpp"

using namespace support;

namespace {

struct add {
  int n;
  using reply = int;
};
struct added {
  int n;
};
/// Copied as long as it does not say otherwise.
struct add_uncopied {
  using reply = int;
  bool refuses = true;
  add_uncopied() = default;
  add_uncopied(add_uncopied&&) = default;
  add_uncopied(const add_uncopied& from) : refuses{from.refuses} {
    if (refuses)
      throw std::bad_alloc{};
  }
};
struct balance {
  using reply = int;
};

/// The account begins anew.
struct close_account {
  using reply = int;
};
/// Fails after it has decided that the actor ends.
struct end_badly {};

struct plan {
  int handled = 0;       // calls of on(add)
  int followed = 0;      // calls of what was to be done after
  int failures_left = 0; // of messages with n == 13
  bool unfit = false;    // every message fails in a fresh incarnation
};

class account
    : public journaled_actor<account, int, events<added>, add, add_uncopied, close_account, end_badly, balance> {
public:
  account(std::shared_ptr<plan> p) : journaled_actor{"account"}, plan_{std::move(p)} {}
  effect<int> on(const add& m) {
    ++plan_->handled;
    if (plan_->unfit && incarnation() != 0)
      throw std::runtime_error{"unfit"};
    if (m.n == 13 && plan_->failures_left > 0) {
      --plan_->failures_left;
      throw std::runtime_error{"unlucky"};
    }
    effect<int> done{state() + m.n, added{m.n}};
    return std::move(done).then([p = plan_] { ++p->followed; });
  }
  effect<int> on(const add_uncopied&) { return {state() + 1, added{1}}; }
  effect<int> on(const close_account&) {
    forget();
    stop();
    return state();
  }
  effect<> on(const end_badly&) {
    stop();
    throw std::runtime_error{"badly"};
  }
  int on(const balance&) const { return state(); }
  static void apply(int& sum, const added& e) { sum += e.n; }

private:
  const std::shared_ptr<plan> plan_;
};

struct bank {
  explicit bank(child_options o, supervisor_options above = patient) : top{s.sys.supervise("top", above)} {
    a = top.start<account>("a", o, p);
    for (int i = 1; i <= 3; ++i)
      CHECK(a.ask(add{i}).get() == i * (i + 1) / 2);
  }
  std::string said() const {
    std::string text;
    for (const auto& e : s.events)
      if (e.what == kind::rehearsed)
        text += e.why + "\n";
    return text;
  }

  stage s;
  std::shared_ptr<plan> p = std::make_shared<plan>();
  supervisor top;
  ref<account> a;
};

} // namespace

TEST_CASE("rehearsal: the last messages and the failed one are tried and leave no trace") {
  bank b{{.retries = 1, .rehearse = 2}};
  b.p->failures_left = 1;
  CHECK(b.a.ask(add{13}).get() == 19);
  CHECK(b.a.ask(balance{}).get() == 19);
  CHECK(b.a.incarnation() == 1);
  // 3 at first, one that fails, two on trial and the failed one on trial, then it for good.
  CHECK(b.p->handled == 3 + 1 + 2 + 1 + 1);
  CHECK(b.p->followed == 4);
  CHECK(b.said() == "2 messages and the one that failed, all well\n");
}

TEST_CASE("rehearsal: a message that fails again on trial is quarantined after its attempts with one restart only") {
  bank b{{.retries = 3, .rehearse = 10}};
  b.p->failures_left = 100;
  const auto outcome = b.a.ask(add{13}).try_get();
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == errc::failed);
  CHECK(b.a.incarnation() == 1);
  REQUIRE(b.s.sys.quarantine().size() == 1);
  CHECK(b.s.sys.quarantine().list()[0].attempts == 4);
  CHECK(b.a.ask(balance{}).get() == 6);
  CHECK(b.a.books().balanced());
}

TEST_CASE("rehearsal: an incarnation that cannot handle what was handled before fails to start and is charged") {
  bank b{{.retries = 1, .rehearse = 10}, {.intensity = 5, .backoff = doubling}};
  b.p->failures_left = 1;
  b.p->unfit = true;
  auto asked = b.a.ask(add{13});
  b.s.sys.advance(100ms);
  CHECK(b.said().find("was handled before and fails on trial: std::runtime_error: unfit") != std::string::npos);
  CHECK(b.a.incarnation() == 0);
  b.p->unfit = false;
  b.s.sys.advance(200ms);
  CHECK(b.a.incarnation() == 1);
  CHECK(std::move(asked).get() == 19);
}

TEST_CASE("rehearsal: without the option nothing is tried") {
  bank b{{.retries = 1}};
  b.p->failures_left = 1;
  CHECK(b.a.ask(add{13}).get() == 19);
  CHECK(b.p->handled == 3 + 2);
  CHECK(b.said().empty());
}

TEST_CASE("rehearsal: messages whose records took their time are tried too") {
  const auto store = std::make_shared<store_probe>();
  auto o = support::stepped();
  o.journals = store;
  troupe::system sys{o};
  const auto p = std::make_shared<plan>();
  const auto a = sys.supervise("top", patient).start<account>("a", child_options{.retries = 1, .rehearse = 2}, p);
  for (int i = 1; i <= 3; ++i) {
    store->hold();
    auto asked = a.ask(add{i});
    sys.run_until_idle();
    CHECK_FALSE(asked.ready());
    store->stop_holding();
    CHECK(std::move(asked).get() == i * (i + 1) / 2);
  }
  p->failures_left = 1;
  CHECK(a.ask(add{13}).get() == 19);
  CHECK(p->handled == 3 + 1 + 2 + 1 + 1);
}

TEST_CASE("rehearsal: a message that cannot be copied is handled all the same and not tried") {
  bank b{{.retries = 1, .rehearse = 2}};
  CHECK(b.a.ask(add_uncopied{}).get() == 7);
  b.p->failures_left = 1;
  CHECK(b.a.ask(add{13}).get() == 20);
  CHECK(b.said() == "2 messages and the one that failed, all well\n");
}

TEST_CASE("rehearsal: a message whose retries have no limit does not keep its actor in one restart") {
  bank b{{.retries = unlimited, .rehearse = 1}};
  b.p->failures_left = 250;
  auto asked = b.a.ask(add{13}, 1h);
  b.s.sys.advance(10min);
  CHECK(std::move(asked).get() == 19);
  CHECK(b.a.incarnation() == 3); // it fails live, a hundred times on trial, live, ...
  CHECK(b.s.sys.quarantine().size() == 0);
}

TEST_CASE(
    "rehearsal: a journal that was forgotten once is not forgotten again on trial, and nobody stops for a trial") {
  bank b{{.retries = 1, .rehearse = 10}};
  CHECK(b.a.ask(close_account{}).get() == 6);
  CHECK(b.a.ask(balance{}).get() == 0);
  CHECK(b.a.ask(add{5}).get() == 5);
  b.p->failures_left = 1;
  CHECK(b.a.ask(add{13}).get() == 18);
  CHECK(b.said() == "5 messages and the one that failed, all well\n");
  CHECK(b.a.incarnation() == 2);
  b.a.tell(end_badly{});
  b.s.sys.advance(1s);
  CHECK(b.a.ask(balance{}).get() == 18);
}

TEST_CASE("rehearsal: an actor goes on after a message that would have ended it, had it not failed") {
  bank b{{.restart = transient, .retries = 1, .rehearse = 10}};
  b.a.tell(end_badly{});
  b.s.sys.advance(1s);
  CHECK(b.s.sys.quarantine().size() == 1);
  CHECK(b.a.ask(balance{}).get() == 6);
}
