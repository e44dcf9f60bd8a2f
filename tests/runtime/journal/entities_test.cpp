// SPDX-License-Identifier: BSD-3-Clause
// Claim: an entity comes with its first message, leaves memory when it is idle, and nobody who has its address notices.
// Observed: constructions and destructions counted, replies, the books of the whole system, in a stepped system; with
// threads, messages that race against passivation.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/journal/sqlite_store.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <support/stepped_system.hpp>
#include <support/temporary_directory.hpp>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct add {
  int n = 0;
  using reply = int;
};
struct total_query {
  using reply = int;
};
struct pass_on {
  std::string to;
  int n = 0;
};
struct add_later {
  int n = 0;
  std::chrono::minutes delay{};
};
struct fail_once {};
struct tick {};
struct keep_ticking {};
struct linger {};
struct quit {};
struct added {
  int n = 0;
};
struct account_state {
  int total = 0;
};

std::atomic<int> built{0};
std::atomic<int> live_objects{0};
std::atomic<int> hooks{0};
std::atomic<int> attempts{0};
std::atomic<bool> broken{false};

class account;
using account_ref = troupe::durable_ref<account>;

class account : public troupe::journaled_actor<account, account_state, troupe::events<added>, add, total_query, pass_on,
                                               add_later, fail_once, keep_ticking, tick, linger, quit> {
public:
  static constexpr std::size_t snapshot_every = 16;
  explicit account(const std::string& key) : journaled_actor{key} {
    ++attempts;
    if (broken)
      throw troupe::recovery_error{"the journal " + key + " is broken"};
    ++built;
    ++live_objects;
  }
  ~account() { --live_objects; }

  effect<int> on(const add& m) { return {state().total + m.n, added{m.n}}; }
  int on(const total_query&) { return state().total; }
  effect<> on(const pass_on& m) {
    effect<> fx{added{-m.n}};
    fx.send(account_ref{system(), m.to}, add{m.n});
    return fx;
  }
  effect<> on(const add_later& m) { return effect<>{}.schedule("add", m.delay, add{m.n}); }
  void on(const fail_once&) { throw std::runtime_error{"once"}; }
  void on(const keep_ticking&) { every(1s, tick{}); }
  void on(const tick&) {}
  troupe::task<void> on(const linger&) {
    auto asked = self().ask(total_query{});
    (void)co_await asked;
  }
  void on(const quit&) { stop(); }
  void on_stop() { ++hooks; }

  static void apply(account_state& s, const added& e) { s.total += e.n; }
};

struct bank {
  explicit bank(troupe::entity_options options = {},
                std::shared_ptr<troupe::journal_store> store = std::make_shared<troupe::memory_store>(),
                std::uint64_t seed = 0)
      : journals{std::move(store)} {
    built = live_objects = hooks = attempts = 0;
    broken = false;
    auto o = support::stepped(seed);
    o.journals = journals;
    sys.emplace(o);
    accounts.emplace(sys->root(), "account", options);
  }

  int total(const std::string& id) { return (*accounts)[id].ask(total_query{}).get(); }

  std::shared_ptr<troupe::journal_store> journals;
  std::optional<troupe::system> sys;
  std::optional<troupe::entities<account>> accounts;
};

/// Journals in memory that can be neither written nor read while `away` holds why.
class moody_store final : public troupe::journal_store {
public:
  std::exception_ptr away;
  std::exception_ptr answer_lost; ///< What is told of writes, which are kept.
  int uses = 0;

  std::shared_ptr<troupe::journal> open(const std::string& key,
                                        std::span<const troupe::journal_type* const> types) override {
    return std::make_shared<stream>(*this, kept_->open(key, types));
  }
  std::vector<std::string> keys(std::string_view prefix) override { return kept_->keys(prefix); }
  std::vector<troupe::owing_journal> unsettled() override { return kept_->unsettled(); }

private:
  struct stream final : troupe::journal {
    stream(moody_store& s, std::shared_ptr<troupe::journal> behind) : store{s}, kept{std::move(behind)} {}
    status append(const troupe::journal_append& a, const std::function<completion()>& done) override {
      const auto how = there().append(a, done);
      if (!store.answer_lost)
        return how;
      done()(store.answer_lost);
      return status::pending;
    }
    void snapshot(const troupe::journal_record& state) override { there().snapshot(state); }
    void replay(troupe::journal_visitor& v) override { there().replay(v); }
    void erase() override { there().erase(); }

    troupe::journal& there() {
      ++store.uses;
      if (store.away)
        std::rethrow_exception(store.away);
      return *kept;
    }
    moody_store& store;
    const std::shared_ptr<troupe::journal> kept;
  };

  const std::shared_ptr<troupe::memory_store> kept_ = std::make_shared<troupe::memory_store>();
};

troupe::entity_options idle_after(std::chrono::milliseconds idle, std::size_t live_max = 100'000) {
  troupe::entity_options o;
  o.idle = idle;
  o.live_max = live_max;
  return o;
}

} // namespace

TEST_CASE("entities: one is built for its first message and no other") {
  bank b;
  std::vector<account_ref> known;
  for (int i = 0; i < 1'000; ++i)
    known.push_back((*b.accounts)[std::to_string(i)]);
  CHECK(built == 0);
  CHECK(b.accounts->live() == 0);
  CHECK(known[7].ask(add{5}).get() == 5);
  CHECK(built == 1);
  CHECK(known[7].key() == "account/7");
  CHECK(known[7] == (*b.accounts)["7"]);
  CHECK(b.total("7") == 5);
  CHECK(built == 1);
}

TEST_CASE("entities: an idle one leaves memory and comes back with its state under the same address") {
  bank b{idle_after(1min)};
  const auto a = (*b.accounts)["a"];
  CHECK(a.ask(add{5}).get() == 5);
  b.sys->advance(50s);
  CHECK(live_objects == 1);
  b.sys->advance(1min);
  CHECK(live_objects == 0);
  CHECK(hooks == 1);
  CHECK(b.accounts->live() == 0);
  CHECK(a.ask(add{2}).get() == 7);
  CHECK(built == 2);
  CHECK(b.sys->books().balanced());
}

TEST_CASE("entities: one that is used stays while one that is not goes") {
  bank b{idle_after(1min)};
  const auto used = (*b.accounts)["used"];
  used.tell(add{1});
  (*b.accounts)["unused"].tell(add{1});
  for (int i = 0; i < 10; ++i) {
    b.sys->advance(20s);
    used.tell(add{1});
  }
  b.sys->run_until_idle();
  CHECK(b.accounts->live() == 1);
  CHECK(built == 2);
  CHECK(b.total("used") == 11);
}

TEST_CASE("entities: beyond the limit those leave that were not used for longest") {
  bank b{idle_after(1h, 10)};
  for (int i = 0; i < 10; ++i) {
    (*b.accounts)[std::to_string(i)].tell(add{i});
    b.sys->advance(1s);
  }
  (*b.accounts)["0"].tell(add{0});
  b.sys->advance(1s);
  CHECK(b.accounts->live() == 10);
  (*b.accounts)["10"].tell(add{10});
  b.sys->advance(1s);
  CHECK(b.accounts->live() == 10);
  const auto before = built.load();
  CHECK(b.total("0") == 0);
  CHECK(built == before); // it was used again
  CHECK(b.total("1") == 1);
  CHECK(built == before + 1); // it was the oldest
}

TEST_CASE("entities: a thousand pass through room for ten without a loss") {
  bank b{idle_after(1h, 10)};
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 1'000; ++i) {
      CHECK((*b.accounts)[std::to_string(i)].tell(add{i}) == troupe::delivery::accepted);
      b.sys->run_until_idle();
    }
  CHECK(b.accounts->live() <= 11);
  for (int i = 0; i < 1'000; ++i)
    CHECK(b.total(std::to_string(i)) == 3 * i);
  CHECK(b.sys->books().balanced());
}

TEST_CASE("entities: too many that are busy are refused") {
  bank b{idle_after(1h, 8)};
  int refused = 0;
  for (int i = 0; i < 20; ++i)
    refused += (*b.accounts)[std::to_string(i)].tell(keep_ticking{}) == troupe::delivery::rejected;
  CHECK(refused == 20 - 8 - 1);
  const auto r = (*b.accounts)["one more"].ask(total_query{}).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::mailbox_full);
}

TEST_CASE("entities: those that were all busy at a time make room as soon as they are not") {
  bank b{idle_after(1h, 8)};
  for (int i = 0; i < 9; ++i)
    CHECK((*b.accounts)[std::to_string(i)].tell(linger{}) == troupe::delivery::accepted);
  b.sys->run_until_idle();
  for (int i = 0; i < 9; ++i)
    (*b.accounts)[std::to_string(i)].tell(pass_on{"other/x", 1});
  b.sys->run_until_idle();
  (*b.accounts)["a"].tell(add{1}); // starts, because one had left before
  b.sys->run_until_idle();
  troupe::entities<account> others{b.sys->root(), "other"};
  b.sys->advance(1min);
  CHECK(others["x"].ask(total_query{}).get() == 9);
  int refused = 0;
  for (int i = 100; i < 200; ++i) {
    refused += (*b.accounts)[std::to_string(i)].tell(add{1}) == troupe::delivery::rejected;
    b.sys->run_until_idle();
  }
  CHECK(refused <= 1);
}

TEST_CASE("entities: those that wait for each other's places make room for each other") {
  bank b{idle_after(1h, 1)}; // room for two
  const auto from = {"a", "b", "c", "d", "e"};
  for (const auto* id : from) {
    for (const auto* to : from) {
      bool accepted = false;
      for (int i = 0; i < 100 && !accepted; ++i) {
        accepted = (*b.accounts)[id].tell(pass_on{std::string{"account/"} + to, 1}) == troupe::delivery::accepted;
        if (!accepted)
          b.sys->advance(100ms);
      }
      REQUIRE(accepted);
    }
    b.sys->advance(100ms);
  }
  b.sys->advance(1h);
  CHECK(b.journals->unsettled().empty());
  for (const auto* id : from) {
    auto total = (*b.accounts)[id].ask(total_query{}).try_get();
    for (int i = 0; i < 3 && !total; ++i) {
      b.sys->run_until_idle();
      total = (*b.accounts)[id].ask(total_query{}).try_get();
    }
    CHECK(total.value() == 0);
  }
  CHECK(b.accounts->live() <= 2);
}

TEST_CASE("entities: one with a timer of its own or messages to deliver stays") {
  bank b{idle_after(1min)};
  (*b.accounts)["a"].tell(keep_ticking{});
  (*b.accounts)["b"].tell(pass_on{"nobody/here", 1});
  b.sys->advance(10min);
  CHECK(live_objects == 2);
}

TEST_CASE("entities: they send each other what must not be lost and wake each other") {
  bank b{idle_after(1min)};
  for (int i = 0; i < 50; ++i)
    (*b.accounts)["a"].tell(pass_on{"account/b" + std::to_string(i % 10), 2});
  b.sys->advance(1h);
  CHECK(live_objects == 0);
  CHECK(b.total("a") == -100);
  for (int i = 0; i < 10; ++i)
    CHECK(b.total("b" + std::to_string(i)) == 10);
}

TEST_CASE("entities: a durable timer wakes one that has left memory") {
  bank b{idle_after(1min)};
  (*b.accounts)["a"].tell(add_later{7, 5h});
  b.sys->advance(1h);
  CHECK(live_objects == 0);
  b.sys->advance(4h);
  CHECK(built == 2);
  CHECK(b.total("a") == 7);
  b.sys->advance(24h);
  CHECK(b.total("a") == 7);
}

TEST_CASE("entities: after a process those that owe something are woken and no others") {
  auto store = std::make_shared<troupe::memory_store>();
  {
    bank b{idle_after(1min), store};
    for (int i = 0; i < 100; ++i)
      (*b.accounts)["idle" + std::to_string(i)].tell(add{1});
    (*b.accounts)["owes"].tell(pass_on{"other/x", 3});
    (*b.accounts)["waits"].tell(add_later{7, 5h});
    b.sys->run_until_idle();
  }
  bank b{idle_after(24h), store};
  b.sys->advance(1s);
  CHECK(built == 1);
  b.sys->advance(6h);
  CHECK(built == 2);
  CHECK(b.total("waits") == 7);
  troupe::entities<account> others{b.sys->root(), "other"};
  b.sys->advance(10min);
  CHECK(others["x"].ask(total_query{}).get() == 3);
}

TEST_CASE("entities: one that fails is restarted and the others do not notice") {
  bank b;
  CHECK((*b.accounts)["a"].ask(add{1}).get() == 1);
  for (int i = 0; i < 30; ++i)
    (*b.accounts)["b"].tell(fail_once{});
  b.sys->advance(1h);
  CHECK(b.total("a") == 1);
  CHECK(b.total("b") == 0);
  CHECK(b.sys->books().quarantined == 30);
}

TEST_CASE("entities: one that cannot be loaded stops and is tried again with the next message") {
  bank b;
  broken = true;
  const auto r = (*b.accounts)["a"].ask(add{1}).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::stopped);
  CHECK(b.sys->escalations() == 0);
  broken = false;
  CHECK((*b.accounts)["a"].ask(add{1}).get() == 1);
  CHECK(b.sys->books().balanced());
}

TEST_CASE("entities: one that owes something delivers it and fires after the store was away and nobody touches it") {
  const std::exception_ptr reasons[]{std::make_exception_ptr(troupe::journal_error{"the store is away"}),
                                     std::make_exception_ptr(troupe::recovery_error{"a row cannot be understood"})};
  for (const auto& why : reasons) {
    CAPTURE(troupe::describe(why));
    const auto store = std::make_shared<moody_store>();
    bank b{idle_after(1min), store};
    (*b.accounts)["a"].tell(add_later{7, 10min});
    (*b.accounts)["b"].tell(pass_on{"other/x", 3});
    b.sys->run_until_idle();
    store->away = why;
    (*b.accounts)["a"].tell(add{1});
    (*b.accounts)["b"].tell(add{1});
    b.sys->advance(30s);
    CHECK(live_objects == 0);
    store->away = nullptr;
    troupe::entities<account> others{b.sys->root(), "other"};
    b.sys->advance(90s);
    CHECK(others["x"].ask(total_query{}).get() == 3);
    b.sys->advance(10min);
    CHECK(store->unsettled().empty());
    CHECK(b.total("a") == 7);
    CHECK(b.sys->books().balanced());
  }
}

TEST_CASE("entities: one that cannot be loaded while the store is away waits in memory with its messages") {
  const auto store = std::make_shared<moody_store>();
  bank b{idle_after(1min), store};
  store->away = std::make_exception_ptr(troupe::journal_error{"the store is away"});
  (*b.accounts)["a"].tell(add{5});
  b.sys->advance(30s);
  CHECK(b.accounts->live() == 1);
  CHECK(store->uses > 5);
  CHECK(store->uses < 20);
  store->away = nullptr;
  b.sys->advance(1min);
  CHECK(built == 1);
  CHECK(b.total("a") == 5);
  CHECK(b.sys->books().balanced());
}

TEST_CASE("entities: one that cannot be understood and owes nothing is not tried again without a message") {
  bank b;
  (*b.accounts)["a"].tell(add{1});
  b.sys->advance(1h);
  CHECK(live_objects == 0);
  broken = true;
  attempts = 0;
  (*b.accounts)["a"].tell(add{1});
  (*b.accounts)["b"].tell(add{1});
  b.sys->advance(1h);
  CHECK(attempts == 2);
}

TEST_CASE("entities: one that cannot be understood and owes something is tried once a minute") {
  bank b{idle_after(1min)};
  (*b.accounts)["a"].tell(add_later{7, 1h});
  b.sys->advance(59min);
  broken = true;
  attempts = 0;
  b.sys->advance(1h);
  CHECK(attempts > 55);
  CHECK(attempts < 70);
  broken = false;
  b.sys->advance(1min);
  CHECK(b.total("a") == 7);
}

TEST_CASE("entities: one that cannot be loaded after a write of which nothing is known delivers what that held") {
  const auto store = std::make_shared<moody_store>();
  bank b{idle_after(1min), store};
  (*b.accounts)["a"].tell(add{1});
  b.sys->run_until_idle();
  store->answer_lost = std::make_exception_ptr(troupe::journal_error{"the connection was lost"});
  broken = true;
  (*b.accounts)["a"].tell(pass_on{"other/x", 3});
  b.sys->advance(30s);
  CHECK(live_objects == 0);
  store->answer_lost = nullptr;
  broken = false;
  troupe::entities<account> others{b.sys->root(), "other"};
  b.sys->advance(90s);
  CHECK(others["x"].ask(total_query{}).get() == 3);
  CHECK(b.total("a") == -2);
}

TEST_CASE("entities: one that stops itself while it owes something comes back for that") {
  bank b{idle_after(1min)};
  (*b.accounts)["a"].tell(pass_on{"other/x", 3});
  (*b.accounts)["b"].tell(add_later{7, 5h});
  (*b.accounts)["a"].tell(quit{});
  (*b.accounts)["b"].tell(quit{});
  b.sys->run_until_idle();
  CHECK(live_objects == 0);
  troupe::entities<account> others{b.sys->root(), "other"};
  b.sys->advance(10s);
  CHECK(others["x"].ask(total_query{}).get() == 3);
  b.sys->advance(4h);
  CHECK(live_objects == 0);
  b.sys->advance(1h);
  CHECK(b.journals->unsettled().empty());
  CHECK(b.total("b") == 7);
}

TEST_CASE("entities: one that comes and goes often while it has a timer is remembered once") {
  auto o = support::stepped();
  o.journals = std::make_shared<troupe::memory_store>();
  built = attempts = 0;
  broken = false;
  troupe::system sys{std::move(o)};
  const auto group = std::make_shared<troupe::detail::entities_of<account>>(sys.root(), "account", idle_after(1s));
  group->open();
  const account_ref a{troupe::detail::address_of(group->core(), "account/a")};
  a.tell(add_later{7, 24h});
  for (int i = 0; i < 100; ++i) {
    sys.advance(3s);
    CHECK(group->owing() == 1);
    a.tell(add{1});
    sys.run_until_idle();
    CHECK(group->owing() == 0); // it is in memory
  }
  sys.advance(3s);
  CHECK(built == 101);
  sys.advance(24h);
  CHECK(group->owing() == 0);
  CHECK(built == 102);
  CHECK(a.ask(total_query{}).get() == 107);
}

TEST_CASE("entities: idle ones leave in time while another one waits for its timer") {
  bank b{idle_after(1s)};
  (*b.accounts)["waits"].tell(add_later{7, 5h});
  b.sys->advance(10s);
  CHECK(live_objects == 0);
  for (int i = 0; i < 5; ++i) {
    (*b.accounts)["a"].tell(add{1});
    b.sys->advance(900ms);
    CHECK(live_objects == 1);
    b.sys->advance(600ms);
    CHECK(live_objects == 0);
    b.sys->advance(7s);
  }
}

TEST_CASE("entities: what is asked of a stopped group is answered with an error") {
  bank b;
  const auto a = (*b.accounts)["a"];
  b.accounts->supervisor().stop();
  b.sys->run_until_idle();
  const auto r = a.ask(add{1}).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::shutting_down);
  CHECK(a.tell(add{1}) == troupe::delivery::stopped);
}

TEST_CASE("entities: a second group of the name and a second actor of the key are refused") {
  bank b;
  CHECK_THROWS_AS((troupe::entities<account>{b.sys->root(), "account"}), std::exception);
  (*b.accounts)["a"].tell(add{1});
  b.sys->run_until_idle();
  CHECK_THROWS_AS(b.sys->spawn<account>(std::string{"account/a"}), troupe::usage_error);
}

TEST_CASE("entities: those whose types the store cannot keep are refused when the group is made") {
  const support::temporary_directory files;
  auto o = support::stepped(0);
  o.journals = troupe::open_sqlite_store(files / "journal.db");
  troupe::system sys{o};
  std::string what;
  try {
    (void)troupe::entities<account>{sys.root(), "account"};
  } catch (const troupe::usage_error& e) {
    what = e.what();
  }
  CHECK(what.find("account_state has no journal_name") != std::string::npos);
  CHECK(sys.root().children().empty()); // nothing of it is left behind
}

TEST_CASE("entities: messages that race against passivation are all handled") {
  built = live_objects = hooks = 0;
  broken = false;
  troupe::system sys{{.workers = 2}};
  troupe::entities<account> accounts{sys.root(), "account", idle_after(1ms, 4)};
  constexpr int senders = 3;
  constexpr int rounds = 1'500;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < senders; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < rounds; ++i) {
          const auto a = accounts[std::to_string(i % 7)];
          while (a.tell(add{1}) != troupe::delivery::accepted)
            std::this_thread::yield();
          if (i % 50 == 0)
            (void)a.ask(total_query{}).try_get();
        }
      });
  }
  int sum = 0;
  for (int i = 0; i < 7; ++i) {
    for (;;) {
      const auto r = accounts[std::to_string(i)].ask(total_query{}).try_get();
      if (r) {
        sum += *r;
        break;
      }
    }
  }
  CHECK(sum == senders * rounds);
  const auto report = sys.shutdown();
  CHECK(report.unaccounted == 0);
  CHECK(report.books.dropped == 0);
  CHECK(built > 7); // it did race
}
