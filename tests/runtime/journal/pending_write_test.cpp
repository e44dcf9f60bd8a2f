// SPDX-License-Identifier: BSD-3-Clause
// Claim: while a write is pending its actor does nothing else, writes of one actor are kept one after the other, and after a
// write that failed the actor is rebuilt, whatever its rules say; a record that is rejected does no harm.
// Observed: a stepped system over a store probe that holds writes back and makes them fail.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/testing/store_probe.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <support/stepped_system.hpp>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct put {
  using reply = int;
  int n = 0;
};
struct put_both_at_once {
  using reply = int;
};
struct ask_then_look {
  using reply = int;
};
struct catch_failure {
  using reply = int;
};
struct put_at_end {
  using reply = int;
  int n = 0;
};
struct answer {
  using reply = int;
};
struct leave_one_behind {
  using reply = int;
};
struct begin_one_and_forget {
  using reply = std::string;
};
struct begin_one_and_throw {};
struct begin_one_and_end {};
struct put_and_stop {
  using reply = int;
  int n = 0;
};
struct put_twice_and_stop {
  using reply = int;
};
struct put_in_coroutine {
  using reply = int;
  int n = 0;
};
struct leave_an_ask_behind {
  using reply = int;
};
struct query {
  using reply = std::vector<int>;
};
struct was_put {
  int n = 0;
};
struct list_state {
  std::vector<int> all;
};

bool caught = false;
int looks = 0;

class oracle : public troupe::actor<oracle, answer> {
public:
  int on(const answer&) { return 42; }
};

class list : public troupe::journaled_actor<list, list_state, troupe::events<was_put>, put, put_both_at_once,
                                            ask_then_look, catch_failure, put_at_end, leave_one_behind,
                                            begin_one_and_forget, begin_one_and_throw, begin_one_and_end, put_and_stop,
                                            put_twice_and_stop, put_in_coroutine, leave_an_ask_behind, query> {
public:
  explicit list(const std::string& key, troupe::ref<oracle> o) : journaled_actor{key}, oracle_{std::move(o)} {}

  effect<int> on(const put& m) { return {static_cast<int>(state().all.size()), was_put{m.n}}; }
  troupe::task<int> on(const put_both_at_once&) {
    auto first = step(1);
    auto second = step(2); // begins while the first is pending
    co_await std::move(second);
    co_await std::move(first);
    co_return static_cast<int>(state().all.size());
  }
  troupe::task<int> on(const ask_then_look&) {
    auto asked = oracle_.ask(answer{}, 1h);
    const int n = co_await asked;
    seen_ = state().all.size();
    co_return n;
  }
  troupe::task<int> on(const catch_failure&) {
    try {
      co_await persist(was_put{1});
    } catch (...) {
      caught = true;
    }
    co_return 0;
  }
  troupe::task<effect<int>> on(const put_at_end& m) {
    auto asked = oracle_.ask(answer{}, 1h);
    const int n = co_await asked;
    co_return effect<int>{n, was_put{m.n}};
  }
  troupe::task<std::string> on(const begin_one_and_forget&) {
    auto begun = step(1);
    std::string why = "forgotten";
    try {
      forget();
    } catch (const troupe::usage_error& e) {
      why = e.what();
    }
    co_await std::move(begun);
    co_return why;
  }
  troupe::task<int> on(const leave_one_behind&) {
    {
      auto left = step(1); // goes while its write is pending
    }
    co_await step(2);
    co_return static_cast<int>(state().all.size());
  }
  troupe::task<void> on(const begin_one_and_throw&) {
    auto begun = step(3);
    throw std::runtime_error{"after it was begun"};
    co_return;
  }
  troupe::task<void> on(const begin_one_and_end&) {
    auto begun = step(4);
    auto nothing = persist(); // its turn comes after the other's, and the object ends in it
    co_await nothing;
    stop();
  }
  effect<int> on(const put_and_stop& m) {
    stop();
    return effect<int>{m.n, was_put{m.n}}.then([] { ++looks; });
  }
  troupe::task<int> on(const put_twice_and_stop&) {
    stop();
    co_await persist(was_put{1});
    co_await persist(was_put{2});
    co_return static_cast<int>(state().all.size());
  }
  troupe::task<int> on(const put_in_coroutine& m) {
    co_await persist(was_put{m.n});
    co_return static_cast<int>(state().all.size());
  }
  troupe::task<int> on(const leave_an_ask_behind&) {
    auto one = look();
    {
      auto other = look();
      co_await std::move(one);
    } // the other one goes, and its reply is there
    auto asked = oracle_.ask(answer{}, 1h);
    co_return co_await asked;
  }
  std::vector<int> on(const query&) { return state().all; }

  static void apply(list_state& s, const was_put& e) { s.all.push_back(e.n); }

private:
  troupe::task<void> step(int n) { co_await persist(was_put{n}); }
  troupe::task<void> look() {
    auto asked = oracle_.ask(answer{}, 1h);
    (void)co_await asked;
    ++looks;
  }

  const troupe::ref<oracle> oracle_;
  std::size_t seen_ = 0;
};

struct library {
  explicit library(const troupe::child_options& options = {}) {
    caught = false;
    looks = 0;
    auto o = support::stepped();
    o.journals = store;
    sys.emplace(o);
    seer = sys->spawn<oracle>();
    books = sys->root().start<list>("list", options, std::string{"list"}, seer);
  }
  std::vector<int> all() { return books.ask(query{}).get(); }

  std::shared_ptr<troupe::store_probe> store = std::make_shared<troupe::store_probe>();
  std::optional<troupe::system> sys;
  troupe::ref<oracle> seer;
  troupe::ref<list> books;
};

} // namespace

TEST_CASE("pending write: two steps of one handler that begin together are kept one after the other") {
  library l;
  l.store->hold();
  auto both = l.books.ask(put_both_at_once{}, 1h);
  l.sys->run_until_idle();
  CHECK(l.store->held() == 1);
  CHECK_FALSE(both.ready());
  l.store->release(1);
  l.sys->run_until_idle();
  CHECK(l.store->held() == 1);
  CHECK_FALSE(both.ready());
  l.store->release(1);
  l.sys->run_until_idle();
  CHECK(std::move(both).get() == 2);
  l.store->stop_holding();
  CHECK(l.all() == std::vector{1, 2});
}

TEST_CASE("pending write: nothing is forgotten while a step is being written") {
  library l;
  l.store->hold();
  auto asked = l.books.ask(begin_one_and_forget{}, 1h);
  l.sys->run_until_idle();
  l.store->stop_holding();
  l.sys->run_until_idle();
  CHECK(std::move(asked).get() == "list has a write under way: its journal cannot be forgotten before that has ended");
  CHECK(l.all() == std::vector{1});
}

TEST_CASE("pending write: a suspended handler whose reply comes waits for it") {
  library l;
  auto looked = l.books.ask(ask_then_look{}, 1h);
  l.store->hold();
  auto kept = l.books.ask(put{7}, 1h);
  l.sys->run_until_idle(); // the oracle has answered
  CHECK(l.store->held() == 1);
  CHECK_FALSE(looked.ready());
  CHECK_FALSE(kept.ready());
  l.store->release();
  l.sys->run_until_idle();
  CHECK(std::move(kept).get() == 0);
  CHECK(std::move(looked).get() == 42);
}

TEST_CASE("pending write: a part of a handler that goes while its reply waits for it does not go on") {
  library l;
  auto left = l.books.ask(leave_an_ask_behind{}, 1h);
  l.store->hold();
  auto kept = l.books.ask(put{7}, 1h);
  l.sys->run_until_idle(); // the oracle has answered both
  CHECK(l.store->held() == 1);
  l.store->stop_holding();
  l.sys->run_until_idle();
  CHECK(std::move(kept).get() == 0);
  CHECK(std::move(left).get() == 42);
  CHECK(looks == 1);
  CHECK(l.sys->books().balanced());
}

TEST_CASE("pending write: the mailbox goes on accepting up to its limit") {
  library l{support::with_mailbox(3)};
  l.store->hold();
  std::vector<troupe::delivery> said;
  l.books.tell(put{0});
  l.sys->run_until_idle();
  for (int i = 1; i <= 5; ++i)
    said.push_back(l.books.tell(put{i}));
  l.sys->run_until_idle();
  CHECK(said[2] == troupe::delivery::accepted);
  CHECK(said[3] == troupe::delivery::rejected);
  l.store->stop_holding();
  l.sys->run_until_idle();
  CHECK(l.all() == std::vector{0, 1, 2, 3});
}

TEST_CASE("pending write: an actor whose write failed is rebuilt though the rules say resume") {
  for (const bool held : {false, true}) {
    CAPTURE(held);
    troupe::child_options o;
    o.on_failure = troupe::failure_rules{}.otherwise(troupe::failure_action::resume);
    library l{o};
    if (held)
      l.store->hold();
    l.store->strike(troupe::write_fault::fail, 1, "list");
    auto kept = l.books.ask(put{1}, 1h);
    l.sys->run_until_idle();
    l.store->stop_holding();
    l.sys->run_until_idle();
    const auto r = std::move(kept).try_get();
    REQUIRE_FALSE(r);
    CHECK(r.error().code == troupe::errc::failed);
    CHECK(l.books.incarnation() == 1);
    CHECK(l.all().empty());
  }
}

TEST_CASE("pending write: one that nobody waited for and that failed leads to a restart though the rules say resume") {
  troupe::child_options o;
  o.on_failure = troupe::failure_rules{}.otherwise(troupe::failure_action::resume);
  library l{o};
  l.store->strike(troupe::write_fault::lose_answer, 1, "list");
  l.books.tell(begin_one_and_throw{});
  l.sys->run_until_idle();
  CHECK_FALSE(l.books.ask(put_in_coroutine{4}).try_get());
  CHECK(l.books.incarnation() == 1);
  CHECK(l.books.ask(put_in_coroutine{5}).get() == 2);
  CHECK(l.all() == std::vector{3, 5});
}

TEST_CASE("pending write: a coroutine does not go on after one that failed") {
  library l;
  l.store->hold();
  l.store->strike(troupe::write_fault::lose_answer, 1, "list");
  auto r = l.books.ask(catch_failure{}, 1h);
  l.sys->run_until_idle();
  l.store->stop_holding();
  l.sys->run_until_idle();
  CHECK_FALSE(std::move(r).try_get());
  CHECK_FALSE(caught);
  CHECK(l.books.incarnation() == 1);
  CHECK(l.all() == std::vector{1}); // it was kept: unknown means look
}

TEST_CASE("pending write: a record that is rejected is an error to the asker and nothing else") {
  library l;
  l.store->strike(troupe::write_fault::reject, 1, "list");
  const auto r = l.books.ask(put{1}).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::failed);
  CHECK(l.books.incarnation() == 0);
  CHECK(l.books.ask(put{2}).get() == 0);
  CHECK(l.all() == std::vector{2});
  CHECK(l.sys->books().balanced());
}

TEST_CASE("pending write: so is one of an effect at the end of a coroutine") {
  library l;
  l.store->strike(troupe::write_fault::reject, 1, "list");
  const auto r = l.books.ask(put_at_end{1}).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::failed);
  CHECK(l.books.incarnation() == 0);
  CHECK(l.books.ask(put{2}).get() == 0);
  CHECK(l.all() == std::vector{2});
  CHECK(l.sys->books().balanced());
}

TEST_CASE("pending write: an effect at the end of a coroutine is kept before its reply leaves") {
  library l;
  l.store->hold();
  auto r = l.books.ask(put_at_end{5}, 1h);
  l.sys->run_until_idle();
  CHECK(l.store->held() == 1);
  CHECK_FALSE(r.ready());
  l.store->stop_holding();
  CHECK(std::move(r).get() == 42);
  CHECK(l.all() == std::vector{5});
}

TEST_CASE("pending write: its late end does not reach the actor that came after a stop") {
  library l;
  l.store->hold();
  l.books.tell(put{1});
  l.sys->run_until_idle();
  l.books.stop();
  l.sys->run_until_idle();
  CHECK(l.books.has_stopped());
  auto next = l.sys->root().start<list>("list", troupe::child_options{}, std::string{"list"}, l.seer);
  l.store->stop_holding();
  CHECK(next.ask(query{}).get() == std::vector{1});
  CHECK(next.ask(put{2}).get() == 1);
}

TEST_CASE("pending write: a step whose coroutine has gone meanwhile comes true with its record") {
  troupe::child_options o;
  o.on_failure = troupe::failure_rules{}.by<std::runtime_error>(troupe::failure_action::resume);
  library l{o};
  l.store->hold();
  auto left = l.books.ask(leave_one_behind{}, 1h);
  l.sys->run_until_idle();
  CHECK(l.store->held() == 1);
  l.store->release(1);
  l.sys->run_until_idle();
  CHECK(l.store->held() == 1); // the next one's turn has come
  l.store->stop_holding();
  l.sys->run_until_idle();
  CHECK(std::move(left).get() == 2);
  CHECK(l.all() == std::vector{1, 2});

  l.books.tell(begin_one_and_throw{});
  l.sys->run_until_idle();
  CHECK(l.all() == std::vector{1, 2, 3});
  CHECK(l.books.incarnation() == 0);
  l.books.stop();
  l.sys->run_until_idle();
  auto rebuilt = l.sys->root().start<list>("list", {}, std::string{"list"}, l.seer);
  CHECK(rebuilt.ask(query{}).get() == std::vector{1, 2, 3});
}

TEST_CASE("pending write: the object may end while those who queue behind a write go on") {
  troupe::child_options o;
  o.restart = troupe::temporary;
  library l{o};
  l.store->hold();
  l.books.tell(begin_one_and_end{});
  l.sys->run_until_idle();
  l.store->stop_holding();
  l.sys->run_until_idle();
  CHECK(l.books.has_stopped());
  CHECK(l.store->events<was_put>("list").size() == 1);
}

TEST_CASE("pending write: an actor that stops itself does so after the record of its last handler") {
  for (const auto restart : {troupe::permanent, troupe::transient}) {
    CAPTURE(static_cast<int>(restart));
    library l{{.restart = restart}};
    l.store->hold();
    auto asked = l.books.ask(put_and_stop{3}, 1h);
    auto behind = l.books.ask(put{4}, 1h);
    l.sys->run_until_idle();
    CHECK_FALSE(asked.ready());
    CHECK(l.store->held() == 1);
    CHECK_FALSE(l.books.has_stopped());
    l.store->stop_holding();
    l.sys->run_until_idle();
    CHECK(std::move(asked).get() == 3);
    CHECK(looks == 1);
    CHECK(l.books.has_stopped() == (restart == troupe::transient));
    CHECK(std::move(behind).try_get().has_value() == (restart == troupe::permanent));
    CHECK(l.sys->books().balanced());
  }
  library l;
  l.store->hold();
  auto asked = l.books.ask(put_twice_and_stop{}, 1h);
  l.sys->run_until_idle();
  CHECK(l.store->held() == 1);
  l.store->release(1);
  l.sys->run_until_idle();
  CHECK(l.store->held() == 1);
  l.store->stop_holding();
  l.sys->run_until_idle();
  CHECK(std::move(asked).get() == 2);
  CHECK(l.books.incarnation() == 1);
  CHECK(l.all() == std::vector{1, 2});
}

TEST_CASE("durable ref: an actor that waits for its restart is found by one that is made meanwhile") {
  library l;
  const auto top =
      l.sys->supervise("top", {.strategy = troupe::one_for_all, .backoff = {.min = 1s, .immediate_first = false}});
  auto b = top.start<list>("b", {}, std::string{"b"}, l.seer);
  b.tell(begin_one_and_throw{});
  l.sys->run_until_idle();
  auto asked = troupe::durable_ref<list>{*l.sys, "b"}.ask(put{4}, 1h);
  CHECK(troupe::durable_ref<list>{*l.sys, "b"}.tell(put{5}) == troupe::delivery::accepted);
  l.sys->run_until_idle();
  CHECK_FALSE(asked.ready());
  CHECK(b.incarnation() == 0);
  l.sys->advance(2s);
  CHECK(std::move(asked).get() == 1);
  CHECK(b.ask(query{}).get() == std::vector{3, 4, 5});
  // Those that have ended are not held for ever.
  for (int i = 0; i < 200; ++i) {
    const auto key = "short " + std::to_string(i);
    auto c = top.start<list>("c", {}, key, l.seer);
    c.stop();
    l.sys->run_until_idle();
    CHECK(troupe::durable_ref<list>{*l.sys, key}.tell(put{1}) == troupe::delivery::stopped);
  }
}
