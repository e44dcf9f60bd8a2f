// SPDX-License-Identifier: BSD-3-Clause
// Claim: what one durable actor sends another with an effect is handled once, in order, whatever restarts in between, and
// durable timers fire once by the wall clock.
// Observed: ledgers that the receivers keep, in a stepped system with its simulated clock.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/testing/store_probe.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <support/stepped_system.hpp>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct note {
  int n = 0;
};
struct slow_note {
  int n = 0;
};
struct notes_query {
  using reply = std::vector<int>;
};
struct stumble {
  int times = 0;
};
struct noted {
  int n = 0;
};
struct pages {
  std::vector<int> notes;
};

int failures_left = 0;

struct wait_for_it {
  using reply = int;
};

/// Keeps what it is told.
class archive
    : public troupe::journaled_actor<archive, pages, troupe::events<noted>, note, slow_note, notes_query, wait_for_it> {
public:
  static constexpr std::size_t snapshot_every = 4;
  explicit archive(const std::string& key) : journaled_actor{key} {}

  effect<> on(const note& m) {
    if (failures_left > 0) {
      --failures_left;
      throw std::runtime_error{"not now"};
    }
    return {noted{m.n}};
  }
  troupe::task<void> on(const slow_note& m) {
    auto asked = self().ask(wait_for_it{});
    const int waited = co_await asked;
    co_await persist(noted{m.n + waited});
  }
  int on(const wait_for_it&) { return 0; }
  std::vector<int> on(const notes_query&) { return state().notes; }
  static void apply(pages& p, const noted& e) { p.notes.push_back(e.n); }
};

struct send_notes {
  using reply = int;
  int first = 0;
  int count = 0;
  bool slow = false;
};
struct crash {};
struct owed_query {
  using reply = std::size_t;
};
struct remind_in {
  using reply = int;
  std::string name;
  std::chrono::milliseconds delay{};
  int n = 0;
};
struct call_off {
  std::string name;
};
struct alarm {
  int n = 0;
  static constexpr std::string_view journal_name = "alarm";
  TROUPE_JSON(alarm, n)
};
struct sent {
  int count = 0;
};
struct rang {
  int n = 0;
};
struct desk_state {
  int sent = 0;
  std::vector<int> rung;
};
struct rung_query {
  using reply = std::vector<int>;
};

/// Sends notes to the archive.
class desk : public troupe::journaled_actor<desk, desk_state, troupe::events<sent, rang>, send_notes, crash, owed_query,
                                            remind_in, call_off, alarm, rung_query> {
public:
  static constexpr std::size_t unconfirmed_max = 500;
  desk(const std::string& key, troupe::durable_ref<archive> to) : journaled_actor{key}, to_{std::move(to)} {}

  effect<int> on(const send_notes& m) {
    effect<int> fx{state().sent + m.count, sent{m.count}};
    for (int i = 0; i < m.count; ++i) {
      if (m.slow)
        fx.send(to_, slow_note{m.first + i});
      else
        fx.send(to_, note{m.first + i});
    }
    return fx;
  }
  void on(const crash&) { throw std::runtime_error{"crash"}; }
  std::size_t on(const owed_query&) { return session().owed(); }
  effect<int> on(const remind_in& m) {
    effect<int> fx{m.n};
    return std::move(fx).schedule(m.name, m.delay, alarm{m.n});
  }
  effect<> on(const call_off& m) { return effect<>{}.cancel(m.name); }
  effect<> on(const alarm& m) {
    if (m.n < 0 && failures_left > 0) {
      --failures_left;
      throw std::runtime_error{"alarm"};
    }
    return {rang{m.n}};
  }
  std::vector<int> on(const rung_query&) { return state().rung; }

  static void apply(desk_state& s, const sent& e) { s.sent += e.count; }
  static void apply(desk_state& s, const rang& e) { s.rung.push_back(e.n); }

private:
  const troupe::durable_ref<archive> to_;
};

std::vector<int> numbers(int first, int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i)
    all.push_back(first + i);
  return all;
}

troupe::child_options tough(unsigned retries = 0) {
  troupe::child_options o;
  o.retries = retries;
  o.intensity = troupe::unlimited;
  return o;
}

struct office {
  explicit office(std::shared_ptr<troupe::journal_store> store = std::make_shared<troupe::memory_store>(),
                  std::uint64_t seed = 0, std::size_t mailbox = 10'000)
      : journals{std::move(store)} {
    auto options = support::stepped(seed);
    options.journals = journals;
    clock = std::dynamic_pointer_cast<troupe::manual_clock>(options.through.clock);
    sys.emplace(options);
    auto rules = troupe::supervisor_options{};
    rules.group_intensity = troupe::unlimited;
    group = sys->supervise("office", rules);
    auto o = tough();
    o.mailbox.capacity = mailbox;
    keeper = group.start<archive>("archive", o, std::string{"archive"});
    sender = group.start<desk>("desk", tough(), std::string{"desk"}, troupe::durable_ref<archive>{*sys, "archive"});
  }

  std::vector<int> notes() { return keeper.ask(notes_query{}).get(); }
  std::vector<int> rung() { return sender.ask(rung_query{}).get(); }
  std::size_t owed() { return sender.ask(owed_query{}).get(); }

  std::shared_ptr<troupe::journal_store> journals;
  std::shared_ptr<troupe::manual_clock> clock;
  std::optional<troupe::system> sys;
  troupe::supervisor group;
  troupe::ref<archive> keeper;
  troupe::ref<desk> sender;
};

/// In each journal there is a timer from a later version of the program.
struct store_of_tomorrow final : troupe::journal_store {
  std::shared_ptr<troupe::journal> open(const std::string&, std::span<const troupe::journal_type* const>) override {
    struct stream final : troupe::journal {
      status append(const troupe::journal_append&, const std::function<completion()>&) override {
        return status::durable;
      }
      void snapshot(const troupe::journal_record&) override {}
      void replay(troupe::journal_visitor& v) override {
        v.last_sent(7);
        v.unsettled({7, "desk", {}, troupe::wall_time_point::max(), "a", {"alarm", 2, "{}"}});
      }
      void erase() override {}
    };
    return std::make_shared<stream>();
  }
  std::vector<std::string> keys(std::string_view) override { return {}; }
  std::vector<troupe::owing_journal> unsettled() override { return {}; }
};

} // namespace

TEST_CASE("durable message: leaves with the record, arrives once and is settled") {
  office o;
  CHECK(o.sender.ask(send_notes{1, 3}).get() == 3);
  o.sys->run_until_idle();
  CHECK(o.notes() == numbers(1, 3));
  CHECK(o.owed() == 0);
  o.sys->advance(1h);
  CHECK(o.notes() == numbers(1, 3));
  CHECK(o.journals->unsettled().empty());
  CHECK(o.sys->books().balanced());
}

TEST_CASE("durable message: a receiver that fails gets it again and those after it wait") {
  office o;
  failures_left = 3;
  o.sender.tell(send_notes{1, 300});
  o.sys->advance(10s);
  CHECK(o.owed() != 0);
  o.sys->advance(10min);
  CHECK(failures_left == 0);
  CHECK(o.notes() == numbers(1, 300));
  CHECK(o.owed() == 0);
}

TEST_CASE("durable message: arrives though its target starts later and though it has little room") {
  office o{std::make_shared<troupe::memory_store>(), 0, 4};
  o.keeper.stop();
  o.sys->run_until_idle();
  o.sender.tell(send_notes{1, 40});
  o.sys->advance(1min);
  CHECK(o.owed() == 40);
  auto few = tough();
  few.mailbox.capacity = 4;
  o.keeper = o.group.start<archive>("archive", few, std::string{"archive"});
  o.sys->advance(10min);
  CHECK(o.notes() == numbers(1, 40));
}

TEST_CASE("durable message: a restart of its sender neither loses nor doubles it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    office o{std::make_shared<troupe::memory_store>(), seed};
    for (int i = 0; i < 20; ++i) {
      o.sender.tell(send_notes{10 * i, 10});
      if (i % 3 == 0)
        o.sender.tell(crash{});
    }
    o.sys->advance(1h);
    CHECK(o.notes() == numbers(0, 200));
    CHECK(o.owed() == 0);
  }
}

TEST_CASE("durable message: a sender whose acknowledgements cannot be saved rests until its next message") {
  const auto store = std::make_shared<troupe::store_probe>();
  office o{store};
  failures_left = 3; // some acknowledgements come late
  o.sender.tell(send_notes{1, 300});
  store->strike(troupe::write_fault::fail, 2, "desk"); // the first that nobody waits for
  o.sys->advance(10min);                               // would never end
  o.sender.tell(send_notes{301, 1});                   // fails, and rebuilds the sender
  o.sys->run_until_idle();
  CHECK(o.sender.ask(send_notes{301, 1}).get() == 301);
  o.sys->advance(1h);
  CHECK(o.notes() == numbers(1, 301));
  CHECK(o.owed() == 0);
}

TEST_CASE("durable message: one that a coroutine handles is handled once and in order") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    office o{std::make_shared<troupe::memory_store>(), seed};
    o.sender.tell(send_notes{1, 30, true});
    o.sys->advance(1h);
    CHECK(o.notes() == numbers(1, 30));
    CHECK(o.owed() == 0);
  }
}

TEST_CASE("durable message: goes on after the process where it stopped") {
  auto store = std::make_shared<troupe::memory_store>();
  {
    office o{store};
    o.keeper.stop();
    o.sys->run_until_idle();
    CHECK(o.sender.ask(send_notes{1, 50}).get() == 50);
  }
  CHECK(store->unsettled().size() == 1);
  office again{store};
  again.sys->advance(1s);
  CHECK(again.notes() == numbers(1, 50));
}

TEST_CASE("durable message: a full outbox refuses, keeps nothing and does not restart the actor") {
  office o;
  o.keeper.stop();
  o.sys->run_until_idle();
  CHECK(o.sender.ask(send_notes{1, 400}).get() == 400);
  const auto refused = o.sender.ask(send_notes{401, 200}).try_get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == troupe::errc::failed);
  CHECK(refused.error().what.find("the outbox of desk holds 400") != std::string::npos);
  CHECK(o.sender.incarnation() == 0);
  CHECK(o.owed() == 400);
  CHECK(o.sender.ask(send_notes{401, 100}).get() == 500);
}

TEST_CASE("durable message: in a full outbox timers can be replaced and cancelled") {
  office o;
  o.keeper.stop();
  o.sys->run_until_idle();
  CHECK(o.sender.ask(remind_in{"a", 10min, 1}).get() == 1);
  CHECK(o.sender.ask(remind_in{"b", 10min, 2}).get() == 2);
  CHECK(o.sender.ask(send_notes{1, 498}).get() == 498);
  CHECK(o.sender.ask(remind_in{"a", 10min, 3}).get() == 3);
  CHECK_FALSE(o.sender.ask(remind_in{"c", 10min, 4}).try_get());
  o.sender.tell(call_off{"b"});
  CHECK(o.owed() == 499);
  CHECK(o.sender.ask(remind_in{"c", 10min, 4}).get() == 4);
  CHECK(o.owed() == 500);
  CHECK(o.sender.incarnation() == 0);
}

TEST_CASE("durable timer: fires once when it is due") {
  office o;
  CHECK(o.sender.ask(remind_in{"a", 10min, 1}).get() == 1);
  CHECK(o.sender.ask(remind_in{"b", 20min, 2}).get() == 2);
  o.sys->advance(9min);
  CHECK(o.rung().empty());
  o.sys->advance(2min);
  CHECK(o.rung() == std::vector{1});
  o.sys->advance(24h);
  CHECK(o.rung() == std::vector{1, 2});
  CHECK(o.owed() == 0);
}

TEST_CASE("durable timer: one of the same name replaces it and a cancelled one does not fire") {
  office o;
  o.sender.tell(remind_in{"a", 10min, 1});
  o.sender.tell(remind_in{"a", 30min, 2});
  o.sender.tell(remind_in{"b", 10min, 3});
  o.sender.tell(call_off{"b"});
  o.sender.tell(call_off{"nothing"});
  o.sys->advance(20min);
  CHECK(o.rung().empty());
  o.sys->advance(20min);
  CHECK(o.rung() == std::vector{2});
}

TEST_CASE("durable timer: one that cannot be read is a journal that cannot be understood") {
  auto options = support::stepped(0);
  options.journals = std::make_shared<store_of_tomorrow>();
  troupe::system sys{options};
  const auto start = [&] { (void)sys.spawn<desk>(std::string{"desk"}, troupe::durable_ref<archive>{sys, "archive"}); };
  CHECK_THROWS_WITH_AS(start(),
                       "the journal desk, timer 'a', outbox entry 7: a message of the type 'alarm' version 2 cannot be "
                       "read: this program knows versions 1 to 1",
                       troupe::recovery_error);
}

TEST_CASE("durable timer: survives restarts and the process and fires late once") {
  auto store = std::make_shared<troupe::memory_store>();
  {
    office o{store};
    o.sender.tell(remind_in{"a", 10min, 1});
    o.sender.tell(remind_in{"b", 100h, 2});
    o.sender.tell(crash{});
    o.sys->advance(1min);
  }
  office again{store};
  again.clock->shift_wall(2h);
  again.sys->advance(2min);
  CHECK(again.rung() == std::vector{1});
  again.sys->advance(200h);
  CHECK(again.rung() == std::vector{1, 2});
}

TEST_CASE("durable timer: a clock that is set back or forth neither loses nor doubles one") {
  office o;
  o.sender.tell(remind_in{"a", 1h, 1});
  o.sys->advance(59min);
  o.clock->shift_wall(-30min);
  o.sys->advance(20min);
  CHECK(o.rung().empty());
  o.sys->advance(12min);
  CHECK(o.rung() == std::vector{1});
  o.clock->shift_wall(-3h);
  o.sys->advance(5h);
  CHECK(o.rung() == std::vector{1});
  o.sender.tell(remind_in{"b", 10h, 2});
  o.sys->run_until_idle();
  o.clock->shift_wall(10h);
  o.sys->advance(2min); // it looks at the clock once a minute
  CHECK(o.rung() == std::vector{1, 2});
}

TEST_CASE("durable timer: one whose handler fails comes again") {
  office o;
  failures_left = 4;
  o.sender.tell(remind_in{"a", 1min, -1});
  o.sys->advance(1h);
  CHECK(failures_left == 0);
  CHECK(o.rung() == std::vector{-1});
  CHECK(o.owed() == 0);
}
