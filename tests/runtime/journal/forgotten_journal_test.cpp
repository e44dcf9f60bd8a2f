// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor may forget its journal in any handler, a durable timer's too; one that is made again under the key sends
// messages that those who knew the former one handle, whatever the clock says.
// Observed: sums that a receiver keeps, and what the store holds, in a stepped system with its simulated clock.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <support/stepped_system.hpp>

using namespace std::chrono_literals;

namespace {

struct add {
  int n = 0;
};
struct sum_query {
  using reply = int;
};
struct added {
  int n = 0;
};
struct sum {
  int n = 0;
};

class account : public troupe::journaled_actor<account, sum, troupe::events<added>, add, sum_query> {
public:
  explicit account(const std::string& key) : journaled_actor{key} {}
  effect<> on(const add& m) { return {added{m.n}}; }
  int on(const sum_query&) { return state().n; }
  static void apply(sum& s, const added& e) { s.n += e.n; }
};

struct pay {
  int n = 0;
};
struct pay_and_forget {
  using reply = std::string;
  int n = 0;
};
struct finish {};
struct finish_in {
  std::chrono::nanoseconds delay{};
};

class payer
    : public troupe::journaled_actor<payer, sum, troupe::events<added>, pay, pay_and_forget, finish, finish_in> {
public:
  explicit payer(const std::string& key) : journaled_actor{key} {}
  effect<> on(const pay& m) {
    return effect<>{added{m.n}}.send(troupe::durable_ref<account>{system(), "account/x"}, add{m.n});
  }
  troupe::task<std::string> on(const pay_and_forget& m) {
    auto kept = persist(added{m.n});
    kept.send(troupe::durable_ref<account>{system(), "account/x"}, add{m.n});
    co_await kept;
    try {
      forget();
    } catch (const troupe::usage_error& e) {
      co_return e.what();
    }
    co_return "forgotten";
  }
  void on(const finish&) {
    forget();
    stop();
  }
  effect<> on(const finish_in& m) { return effect<>{added{1}}.schedule("end", m.delay, finish{}); }
  static void apply(sum& s, const added& e) { s.n += e.n; }
};

struct town {
  town() {
    auto o = support::stepped();
    o.through.clock = clock;
    o.journals = store;
    sys.emplace(std::move(o));
    accounts.emplace(sys->root(), "account");
    payers.emplace(sys->root(), "payer");
  }
  int paid() { return (*accounts)["x"].ask(sum_query{}).get(); }

  std::shared_ptr<troupe::manual_clock> clock = std::make_shared<troupe::manual_clock>();
  std::shared_ptr<troupe::memory_store> store = std::make_shared<troupe::memory_store>();
  std::optional<troupe::system> sys;
  std::optional<troupe::entities<account>> accounts;
  std::optional<troupe::entities<payer>> payers;
};

} // namespace

TEST_CASE("forgotten journal: one that is made again after the clock was set back is heard") {
  town t;
  (*t.payers)["a"].tell(pay{1});
  t.sys->advance(1min);
  (*t.payers)["a"].tell(finish{});
  t.sys->advance(1min);
  CHECK(t.store->keys("payer/").empty());
  t.clock->shift_wall(-1h);
  (*t.payers)["a"].tell(pay{10});
  t.sys->advance(1min);
  CHECK(t.paid() == 11);
  CHECK(t.store->unsettled().empty());
}

TEST_CASE("forgotten journal: a durable timer's handler may forget it and nothing stays") {
  town t;
  (*t.payers)["a"].tell(finish_in{10s});
  t.sys->advance(5s);
  CHECK(t.store->keys("payer/").size() == 1);
  t.sys->advance(1min);
  CHECK(t.store->keys("payer/").empty());
  CHECK(t.store->unsettled().empty());
  CHECK(t.sys->quarantine().size() == 0);
  CHECK(t.sys->restarts() == 0);
}

TEST_CASE("forgotten journal: one that owes messages is not forgotten, and says how many") {
  town t;
  (*t.payers)["a"].tell(finish_in{1h}); // a timer is no obstacle
  CHECK((*t.payers)["a"].ask(pay_and_forget{1}).get() ==
        "payer/a still owes 1 messages: its journal cannot be forgotten");
  t.sys->advance(1min);
  CHECK(t.paid() == 1);
}

TEST_CASE("forgotten journal: a durable timer farther away than the calendar goes does not fire") {
  town t;
  (*t.payers)["a"].tell(finish_in{std::chrono::nanoseconds::max()});
  t.sys->advance(24h);
  CHECK(t.store->keys("payer/").size() == 1);
}
