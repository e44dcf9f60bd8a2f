// SPDX-License-Identifier: BSD-3-Clause
// Claim: a durable actor remembers of whom it has handled messages as long as one of them may come again, and not for ever.
// Observed: the decisions of `handled_senders`; an actor with very many senders, over a crash, too.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/journal/handled_senders.hpp>
#include <troupe/journal/memory_store.hpp>

#include "runtime/journal/ballot.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <support/stepped_system.hpp>
#include <vector>

using namespace ballot;
using namespace std::chrono_literals;
using troupe::detail::handled_senders;

namespace {

constexpr troupe::time_point noon{100h};

std::string sender(std::size_t i) { return "s" + std::to_string(10'000 + i); }

/// As many as are looked at, each with message 5 handled.
handled_senders many() {
  handled_senders h{100'000};
  for (std::size_t i = 0; i < handled_senders::few; ++i)
    h.note(sender(i), 5);
  return h;
}

} // namespace

TEST_CASE("handled senders: few are never forgotten") {
  handled_senders h{100'000};
  for (std::size_t i = 0; i + 1 < handled_senders::few; ++i)
    h.note(sender(i), 1);
  CHECK_FALSE(h.wants_look());
  h.note(sender(handled_senders::few), 1);
  CHECK(h.wants_look());
}

TEST_CASE("handled senders: who owes messages stays, and who owes timers alone goes") {
  auto h = many();
  const troupe::owing_journal owing[]{{sender(1), {}}, {sender(2), troupe::wall_time_point{}}};
  h.look(owing, 7, noon);
  h.arrived(8);
  CHECK(h.size() == 1);
  CHECK(h.last(sender(1)) == 5);
  CHECK(h.last(sender(2)) == 0);
  CHECK(h.forgotten().size() == handled_senders::few - 1);
  h.saved(h.forgotten().size());
  CHECK(h.forgotten().empty());
}

TEST_CASE("handled senders: nobody goes before all that was queued at the look has been seen") {
  auto h = many();
  h.look({}, 10, noon);
  for (int i = 8; i <= 10; ++i) {
    h.arrived(static_cast<std::uint64_t>(i));
    CHECK(h.last(sender(0)) == 5);
  }
  h.arrived(11);
  CHECK(h.last(sender(0)) == 0);
}

TEST_CASE("handled senders: what else was queued at the look counts once it has left the mailbox") {
  auto h = many();
  h.look({}, 5'000, noon); // ordinary messages, nearly all of them
  h.arrived(5'000);
  CHECK(h.last(sender(0)) == 5); // that one is in hand
  h.arrived(6'000);
  CHECK(h.last(sender(0)) == 0);
}

TEST_CASE("handled senders: one of whom a newer message was handled meanwhile stays") {
  auto h = many();
  h.look({}, 1, noon);
  h.arrived(1);
  h.note(sender(7), 6);
  h.arrived(2);
  CHECK(h.size() == 1);
  CHECK(h.last(sender(7)) == 6);
}

TEST_CASE("handled senders: while nobody can go, looks become rarer") {
  auto h = many();
  std::vector<troupe::owing_journal> owing;
  for (std::size_t i = 0; i < 8'000; ++i)
    owing.push_back({sender(i), {}});
  int looks = 0;
  for (std::size_t i = handled_senders::few; i < 8'000; ++i) {
    h.arrived(i);
    h.note(sender(i), 1);
    if (h.wants_look()) {
      ++looks;
      h.look(owing, i, noon + std::chrono::hours{i}); // it does not go by time
    }
  }
  CHECK(h.size() == 8'000);
  CHECK(looks >= 3);
  CHECK(looks <= 5);
}

TEST_CASE("handled senders: no room is a matter of new ones only") {
  handled_senders h{2};
  h.note("a", 1);
  CHECK(h.has_room_for("b"));
  h.note("b", 1);
  CHECK_FALSE(h.has_room_for("c"));
  CHECK(h.has_room_for("a"));
}

TEST_CASE("handled senders: when there is no room the next look waits for a time and not for messages") {
  handled_senders h{4};
  std::vector<troupe::owing_journal> owing;
  for (std::size_t i = 0; i < 4; ++i) {
    h.note(sender(i), 1);
    owing.push_back({sender(i), {}});
  }
  const struct {
    std::chrono::milliseconds at;
    std::size_t owing; // so many still do
    bool looks;
    bool room; // when it comes, before that look
  } table[]{
      {0ms, 4, true, false},     {100ms, 4, false, false},  {2'999ms, 0, false, false},
      {3'000ms, 3, true, false}, {3'100ms, 3, false, true},
  };
  std::uint64_t taken = 100;
  for (const auto& t : table) {
    CAPTURE(t.at);
    h.arrived(++taken);
    CHECK(h.has_room_for("late") == t.room);
    CHECK_FALSE((t.at != 0ms && h.wants_look())); // four messages are not many
    const auto now = noon + t.at;
    if (t.room)
      continue;
    CHECK(h.wants_room(now) == t.looks);
    if (h.wants_room(now))
      h.look(std::span{owing}.first(t.owing), taken, now);
  }
  CHECK(h.size() == 3);
  h.note("late", 1);
  h.put_off(noon + 10s); // the store did not answer
  CHECK_FALSE(h.wants_room(noon + 12s));
  CHECK(h.wants_room(noon + 13s));
}

TEST_CASE("handled senders: a look for room does not hurry those that are to be forgotten") {
  handled_senders h{1};
  h.note("a", 1);
  h.look({}, 10, noon);
  h.arrived(9);
  CHECK_FALSE(h.wants_room(noon + 1h)); // the answer is known
  CHECK_FALSE(h.has_room_for("b"));
  h.arrived(11);
  CHECK(h.has_room_for("b"));
}

// -- an actor ----------------------------------------------------------------------------------------------------------

namespace {

/// Counts of whom a journal says that messages were handled.
struct remembered final : troupe::journal_visitor {
  void snapshot(const troupe::journal_record&) override {}
  void event(const troupe::journal_record&) override {}
  void handled(const troupe::inbound&) override { ++senders; }
  void last_sent(std::uint64_t) override {}
  void unsettled(const troupe::outbound&) override {}
  std::size_t senders = 0;
};

/// A system with an urn and as many voters as somebody asks for.
template <class Urn>
struct polls {
  explicit polls(std::shared_ptr<troupe::journal_store> store) {
    auto options = support::stepped(0);
    options.journals = std::move(store);
    sys.emplace(options);
    urns.emplace(sys->root(), "urn");
    voters.emplace(sys->root(), "voter", troupe::entity_options{}, (*urns)["1"]);
  }
  void cast_by(int first, int count) {
    for (int i = 0; i < count; ++i) {
      (*voters)[std::to_string(first + i)].tell(cast_vote{1});
      if (i % 100 == 99)
        sys->advance(2s); // acknowledgements are written down after one
    }
    sys->advance(1min);
  }
  tally counted() { return (*urns)["1"].ask(count_query{}).get(); }
  std::size_t senders() { return (*urns)["1"].ask(senders_query{}).get(); }

  std::optional<troupe::system> sys;
  std::optional<troupe::entities<Urn>> urns;
  std::optional<troupe::entities<voter<Urn>>> voters;
};

} // namespace

TEST_CASE(
    "durable message: senders without a debt are forgotten, in memory and in the store, and nothing counts twice") {
  using box = urn<100'000>;
  const auto store = std::make_shared<troupe::memory_store>();
  constexpr int voters = 6'000;
  {
    polls<box> p{store};
    p.cast_by(0, voters);
    CHECK(p.counted().votes == voters);
    CHECK(p.senders() < 3 * handled_senders::few);
    p.cast_by(0, 50); // old ones come again with new messages
    CHECK(p.counted().votes == voters + 50);
  }
  constexpr const troupe::journal_type* types[]{&troupe::journal_type_of<tally>, &troupe::journal_type_of<voted>};
  remembered kept;
  store->open("urn/1", types)->replay(kept);
  CHECK(kept.senders > 50);
  CHECK(kept.senders < 3 * handled_senders::few);
  polls<box> again{store};
  CHECK(again.senders() == kept.senders);
  again.cast_by(0, 50);
  CHECK(again.counted().votes == voters + 100);
  CHECK(again.counted().sum == voters + 100);
}

TEST_CASE("durable message: of senders who could all send again no more are taken than may be remembered") {
  using box = urn<2'000>;
  polls<box> p{std::make_shared<troupe::memory_store>()};
  int dead = 0;
  const auto watch = p.sys->events().subscribe([&](const troupe::event& e) {
    if (const auto* d = std::get_if<troupe::dead_letter>(&e))
      dead += d->reason == troupe::drop_reason::overflow ? 1 : 0;
  });
  for (int i = 0; i < 2'100; ++i)
    (*p.voters)[std::to_string(i)].tell(cast_vote{1});
  p.sys->run_until_idle(); // no time passes: no acknowledgement is written down
  CHECK(p.senders() <= 2'000);
  CHECK(p.counted().votes == 2'000);
  CHECK(dead == 100);
  p.sys->advance(1h); // they are, and so there is room again
  CHECK(p.counted().votes == 2'100);
  CHECK(p.counted().sum == 2'100);
}

TEST_CASE("durable message: a full list of senders that owe nothing any more has room again within seconds") {
  polls<urn<4>> p{std::make_shared<troupe::memory_store>()};
  for (int i = 0; i < 4; ++i)
    (*p.voters)[std::to_string(i)].tell(cast_vote{1});
  p.sys->advance(1min);
  REQUIRE(p.counted().votes == 4);
  for (int i = 4; i < 8; ++i) {
    CAPTURE(i);
    (*p.voters)[std::to_string(i)].tell(cast_vote{1});
    p.sys->advance(15s);
    CHECK(p.counted().votes == i + 1);
  }
  CHECK(p.senders() <= 4);
}
