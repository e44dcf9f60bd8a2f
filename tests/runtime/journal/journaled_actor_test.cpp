// SPDX-License-Identifier: BSD-3-Clause
// Claim: only events change a journaled actor's state; they are kept whole or not at all, before their reply leaves, and
// they outlive the actor's restarts.
// Observed: replies and state after failures, in a stepped system; with a store whose writes end when the test says so.
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct put {
  std::string text;
  using reply = std::size_t;
};
struct put_then_throw {
  std::string text;
};
struct put_twice {
  std::string first;
  std::string second;
  int failures = 0; // in the middle, as long as only the first is kept
  using reply = std::string;
};
struct text_query {
  using reply = std::string;
};
struct crash {};
struct clear {};

struct added {
  std::string text;
};

struct page {
  std::string text;
  std::size_t events = 0;
};

int middle_failures = 0;

class notebook : public troupe::journaled_actor<notebook, page, troupe::events<added>, put, put_then_throw, put_twice,
                                                text_query, crash, clear> {
public:
  static constexpr std::size_t snapshot_every = 8;
  explicit notebook(const std::string& key, std::vector<std::string>* said = nullptr)
      : journaled_actor{key}, said_{said} {}

  effect<std::size_t> on(const put& m) {
    if (m.text.empty())
      return state().text.size();
    auto e = effect<std::size_t>{state().text.size() + m.text.size(), added{m.text}};
    return std::move(e).then([this] {
      if (said_ != nullptr)
        said_->push_back(state().text); // the event is applied by now
    });
  }

  effect<> on(const put_then_throw&) { throw std::runtime_error{"before anything is kept"}; }

  troupe::task<std::string> on(const put_twice& m) {
    if (state().text.empty()) {
      auto kept = persist(added{m.first});
      co_await kept;
    }
    if (middle_failures > 0) {
      --middle_failures;
      throw std::runtime_error{"between the two"};
    }
    auto kept = persist(added{m.second});
    co_await kept;
    co_return state().text;
  }

  std::string on(const text_query&) { return state().text; }
  void on(const crash&) { throw std::runtime_error{"crash"}; }
  void on(const clear&) { forget(); }

  static void apply(page& p, const added& e) {
    p.text += e.text;
    ++p.events;
  }

private:
  std::vector<std::string>* said_;
};

/// Keeps records in memory, but says so only when the test calls `finish`.
class slow_store final : public troupe::journal_store {
public:
  std::shared_ptr<troupe::journal> open(const std::string& key,
                                        std::span<const troupe::journal_type* const> types) override {
    return std::make_shared<stream>(*this, kept_->open(key, types));
  }
  std::vector<std::string> keys(std::string_view prefix) override { return kept_->keys(prefix); }
  std::vector<troupe::owing_journal> unsettled() override { return kept_->unsettled(); }
  std::size_t pending() const { return waiting_.size(); }
  /// From now on writes end at once, and states are refused.
  void refuse_snapshots(std::exception_ptr why) { refusing_ = std::move(why); }
  void finish(std::exception_ptr failure = nullptr) {
    auto w = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    w(std::move(failure));
  }

private:
  class stream final : public troupe::journal {
  public:
    stream(slow_store& s, std::shared_ptr<journal> j) : store_{s}, kept_{std::move(j)} {}
    status append(const troupe::journal_append& a, const std::function<completion()>& done) override {
      kept_->append(a, done);
      if (store_.refusing_)
        return status::durable;
      store_.waiting_.push_back(done());
      return status::pending;
    }
    void snapshot(const troupe::journal_record& state) override {
      if (store_.refusing_)
        std::rethrow_exception(store_.refusing_);
      kept_->snapshot(state);
    }
    void replay(troupe::journal_visitor& v) override { kept_->replay(v); }
    void erase() override { kept_->erase(); }

  private:
    slow_store& store_;
    std::shared_ptr<journal> kept_;
  };

  std::shared_ptr<troupe::memory_store> kept_ = std::make_shared<troupe::memory_store>();
  std::vector<troupe::journal::completion> waiting_;
  std::exception_ptr refusing_;
};

troupe::system_options stepped(std::shared_ptr<troupe::journal_store> store = nullptr) {
  troupe::system_options o;
  o.through.clock = std::make_shared<troupe::manual_clock>();
  o.stepped = 0;
  o.journals = std::move(store);
  return o;
}

/// What a journal holds: the text of the snapshot in brackets, then the text of each event.
std::string contents(troupe::journal_store& store, const std::string& key) {
  struct visitor final : troupe::journal_visitor {
    void snapshot(const troupe::journal_record& r) override {
      text = "[" + static_cast<const page*>(r.value)->text + "]";
    }
    void event(const troupe::journal_record& r) override { text += static_cast<const added*>(r.value)->text; }
    void handled(const troupe::inbound&) override {}
    void last_sent(std::uint64_t) override {}
    void unsettled(const troupe::outbound&) override {}
    std::string text{};
  };
  static constexpr std::array<const troupe::journal_type*, 2> types{&troupe::journal_type_of<page>,
                                                                    &troupe::journal_type_of<added>};
  visitor v;
  store.open(key, types)->replay(v);
  return v.text;
}

troupe::ref<notebook> start(troupe::system& sys, unsigned retries = 0) {
  troupe::child_options o;
  o.retries = retries;
  o.intensity = troupe::unlimited;
  return sys.root().start<notebook>("notebook", o, std::string{"n"});
}

} // namespace

TEST_CASE("journaled_actor: state outlives restarts, and what threw has not happened") {
  troupe::system sys{stepped()};
  auto n = start(sys);
  CHECK(n.ask(put{"a"}).get() == 1);
  CHECK(n.ask(put{""}).get() == 1); // no event
  n.tell(put_then_throw{"b"});
  n.tell(crash{});
  CHECK(n.ask(put{"c"}).get() == 2);
  sys.advance(1s);
  CHECK(n.ask(text_query{}).get() == "ac");
  CHECK(n.incarnation() == 2);
  CHECK(sys.books().balanced());
  CHECK(sys.books().quarantined == 2);
}

TEST_CASE("journaled_actor: what follows an effect sees the events applied") {
  troupe::system sys{stepped()};
  std::vector<std::string> said;
  auto n = sys.spawn<notebook>("n", &said);
  n.tell(put{"a"});
  n.tell(put{"b"});
  sys.run_until_idle();
  CHECK(said == std::vector<std::string>{"a", "ab"});
}

TEST_CASE("journaled_actor: a retried coroutine finds the steps that were kept and does not repeat them") {
  troupe::system sys{stepped()};
  auto n = start(sys, 5);
  middle_failures = 3;
  CHECK(n.ask(put_twice{"a", "b"}, 10min).get() == "ab");
  CHECK(n.incarnation() == 3);
  CHECK(sys.quarantine().size() == 0);
}

TEST_CASE("journaled_actor: snapshots replace events without a difference") {
  auto store = std::make_shared<troupe::memory_store>();
  std::string expected;
  {
    troupe::system sys{stepped(store)};
    auto n = start(sys);
    for (int i = 0; i < 29; ++i) {
      expected += static_cast<char>('a' + i % 26);
      n.tell(put{expected.substr(expected.size() - 1)});
      if (i % 7 == 0)
        n.tell(crash{});
    }
    sys.advance(1h);
    CHECK(n.ask(text_query{}).get() == expected);
  }
  troupe::system again{stepped(store)}; // the store outlives the system it was given to
  CHECK(start(again).ask(text_query{}).get() == expected);
}

TEST_CASE("journaled_actor: a restart keeps what it has replayed as a snapshot, so that the next one does not") {
  auto store = std::make_shared<troupe::memory_store>();
  troupe::system sys{stepped(store)};
  auto n = start(sys);
  CHECK(n.ask(put{"a"}).get() == 1);
  CHECK(n.ask(put{"b"}).get() == 2);
  CHECK(contents(*store, "n") == "ab");
  n.tell(crash{});
  sys.advance(1s);
  CHECK(contents(*store, "n") == "[ab]");
  CHECK(n.ask(put{"c"}).get() == 3);
  CHECK(contents(*store, "n") == "[ab]c");
  CHECK(n.ask(text_query{}).get() == "abc");
}

TEST_CASE("journaled_actor: a state that cannot be written down is reported and the actor lives by its events") {
  auto store = std::make_shared<slow_store>();
  std::string refused;
  SUBCASE("because of what is in it") {
    store->refuse_snapshots(std::make_exception_ptr(troupe::rejected_record{"not as it is"}));
    refused = "snapshot: troupe::rejected_record: not as it is";
  }
  SUBCASE("for any other reason") {
    store->refuse_snapshots(std::make_exception_ptr(std::runtime_error{"not now"}));
    refused = "snapshot: std::runtime_error: not now";
  }
  troupe::system sys{stepped(store)};
  std::vector<std::string> failures;
  const auto subscription = sys.events().subscribe([&](const troupe::event& e) {
    if (const auto* s = std::get_if<troupe::supervision_event>(&e);
        s != nullptr && s->what == troupe::supervision_event::kind::failed)
      failures.push_back(s->why);
  });
  auto n = start(sys);
  for (int i = 0; i < 20; ++i)
    CHECK(n.ask(put{"x"}).get() == static_cast<std::size_t>(i) + 1);
  CHECK(failures == std::vector{refused, refused}); // after 8 and 16 events
  n.tell(crash{});
  sys.advance(1min);
  CHECK(n.ask(put{"y"}).get() == 21);
  CHECK(n.incarnation() == 1);
}

TEST_CASE("journaled_actor: a forgotten journal leaves nothing in the store") {
  auto store = std::make_shared<troupe::memory_store>();
  troupe::system sys{stepped(store)};
  auto n = start(sys);
  n.tell(put{"a"});
  n.tell(clear{});
  n.tell(crash{});
  CHECK(n.ask(text_query{}).get().empty());
  CHECK(store->size() == 1); // it is open
  n.stop();
  sys.run_until_idle();
  CHECK(store->size() == 0);
}

TEST_CASE("journaled_actor: while a write is pending nothing else is handled and no reply leaves") {
  auto store = std::make_shared<slow_store>();
  troupe::system sys{stepped(store)};
  auto n = start(sys);
  auto kept = n.ask(put{"a"}, 1h);
  auto seen = n.ask(text_query{}, 1h);
  sys.run_until_idle();
  CHECK(store->pending() == 1);
  CHECK_FALSE(kept.ready());
  CHECK_FALSE(seen.ready());
  CHECK(n.books().queued == 2);
  store->finish();
  sys.run_until_idle();
  CHECK(std::move(kept).get() == 1);
  CHECK(std::move(seen).get() == "a");
}

TEST_CASE("journaled_actor: a pending write of a coroutine goes on where it waited") {
  auto store = std::make_shared<slow_store>();
  troupe::system sys{stepped(store)};
  auto n = start(sys);
  middle_failures = 0;
  auto both = n.ask(put_twice{"a", "b"}, 1h);
  sys.run_until_idle();
  store->finish();
  sys.run_until_idle();
  CHECK(store->pending() == 1);
  store->finish();
  CHECK(std::move(both).get() == "ab");
}

TEST_CASE("journaled_actor: after a failed write the actor is rebuilt from what the journal holds") {
  auto store = std::make_shared<slow_store>();
  troupe::system sys{stepped(store)};
  auto n = start(sys);
  auto kept = n.ask(put{"a"}, 1h);
  sys.run_until_idle();
  store->finish(std::make_exception_ptr(std::runtime_error{"disk full"}));
  auto r = std::move(kept).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::failed);
  CHECK(r.error().what.find("disk full") != std::string::npos);
  CHECK(n.incarnation() == 1);
  CHECK(n.ask(text_query{}).get() == "a"); // this store had kept it all the same: unknown means look
  CHECK(sys.books().balanced());
}

TEST_CASE("journaled_actor: a stop does not wait for a pending write and its late end is harmless") {
  auto store = std::make_shared<slow_store>();
  troupe::system sys{stepped(store)};
  auto n = start(sys);
  auto kept = n.ask(put{"a"}, 1h);
  sys.run_until_idle();
  n.stop();
  sys.run_until_idle();
  CHECK(n.has_stopped());
  store->finish();
  sys.run_until_idle();
  auto r = std::move(kept).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::stopped);
}
