// SPDX-License-Identifier: BSD-3-Clause
// Claim: all stores keep the same promises: an append is kept whole or not at all, in order, and what is kept comes back,
// also to one who opens the journal, or the store, anew.
// Observed: transcripts of replays; the same cases for each store; random histories against a model.
#ifdef TROUPE_TEST_POSTGRES
#include "runtime/journal/kept_postgres.hpp"
#else
#include "runtime/journal/kept_stores.hpp"
#endif
#include "runtime/journal/notes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace notes;
using namespace std::chrono_literals;

#ifdef TROUPE_TEST_POSTGRES
#define STORES kept::postgres
#else
#define STORES kept::memory, kept::probed, kept::sqlite
#endif

namespace {

const troupe::wall_time_point noon{std::chrono::microseconds{1'800'000'000'123'456}};

} // namespace

TEST_CASE_TEMPLATE("journal store: a journal that nobody has written to is empty", Kept, STORES) {
  Kept k;
  CHECK(kept_under(*k.store, "nobody").empty());
  CHECK(k.store->keys().empty());
  CHECK(k.store->unsettled().empty());
}

TEST_CASE_TEMPLATE("journal store: an empty journal that two look at stays until both have gone", Kept, STORES) {
  Kept k;
  auto mine = open(*k.store, "a");
  CHECK(kept_under(*k.store, "a").empty());
  keep_events(*mine, added{"one"});
  CHECK(replayed(*mine) == lines{"added one"});
}

TEST_CASE_TEMPLATE("journal store: events come back in order over reopening", Kept, STORES) {
  Kept k;
  {
    auto j = open(*k.store, "a");
    keep_events(*j, added{"one"}, removed{2});
    keep_events(*j, added{"three"});
  }
  k.reopen();
  const lines three{"added one", "removed 2", "added three"};
  CHECK(kept_under(*k.store, "a") == three);
  keep_events(*open(*k.store, "a"), added{"four"}); // without a replay before
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"added one", "removed 2", "added three", "added four"});
}

TEST_CASE_TEMPLATE("journal store: one append holds events, what was handled, sends and what is settled", Kept,
                   STORES) {
  Kept k;
  const auto write = [&](std::uint64_t handled, const std::string& text, std::uint64_t sent,
                         std::vector<std::uint64_t> settled) {
    const added e{text};
    const letter l{text};
    const troupe::journal_record events[]{record(e)};
    const troupe::outbound sends[]{{sent, "b", record(l), {}, {}}};
    keep(*open(*k.store, "a"), {troupe::inbound{"c", handled}, events, sends, settled});
  };
  write(7, "one", 1, {});
  write(8, "two", 2, {});
  write(9, "three", 3, {1});
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"added one", "added two", "added three", "handled c 9", "last sent 3",
                                           "2 to b: letter two", "3 to b: letter three"});
}

TEST_CASE_TEMPLATE("journal store: an append that cannot be encoded leaves nothing", Kept, STORES) {
  Kept k;
  auto j = open(*k.store, "a");
  keep_events(*j, added{"one"});
  CHECK_THROWS_AS(keep_events(*j, added{"two"}, unkeepable{}), std::runtime_error);
  keep_events(*j, added{"three"});
  k.store->flush();
  CHECK(replayed(*j) == lines{"added one", "added three"});
}

TEST_CASE_TEMPLATE("journal store: a replay begins at the latest snapshot", Kept, STORES) {
  Kept k;
  {
    auto j = open(*k.store, "a");
    keep_events(*j, added{"1"}, added{"2"});
    j->snapshot(record(page{"12"}));
    keep_events(*j, added{"3"});
    CHECK(replayed(*j) == lines{"snapshot page 12", "added 3"});
    j->snapshot(record(page{"123"}));
    j->snapshot(record(page{"123 again"}));
    CHECK(replayed(*j) == lines{"snapshot page 123 again"});
    keep_events(*j, added{"4"});
  }
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"snapshot page 123 again", "added 4"});
}

TEST_CASE_TEMPLATE("journal store: a snapshot may come before the first event", Kept, STORES) {
  Kept k;
  {
    auto j = open(*k.store, "a");
    j->snapshot(record(page{"blank"}));
    keep_events(*j, added{"1"});
  }
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"snapshot page blank", "added 1"});
  CHECK(k.store->keys() == lines{"a"});
}

TEST_CASE_TEMPLATE("journal store: of each sender the highest sequence is kept", Kept, STORES) {
  Kept k;
  const auto handle = [&](const char* sender, std::uint64_t n) {
    troupe::journal_append a;
    a.handled = troupe::inbound{sender, n};
    keep(*open(*k.store, "a"), a);
  };
  handle("x", 1);
  handle("y", 5);
  handle("x", 3);
  handle("x", 2);
  open(*k.store, "a")->snapshot(record(page{}));
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"snapshot page ", "handled x 3", "handled y 5"});
}

TEST_CASE_TEMPLATE("journal store: a settled entry leaves the outbox and its number is not forgotten", Kept, STORES) {
  Kept k;
  const letter l{"hello"};
  const troupe::outbound sends[]{{1, "b", record(l), {}, {}}, {2, "b", record(l), noon, "tea"}};
  troupe::journal_append a;
  a.sends = sends;
  keep(*open(*k.store, "a"), a);
  k.reopen();
  CHECK(kept_under(*k.store, "a") ==
        lines{"last sent 2", "1 to b: letter hello", "2 to b: letter hello due 1800000000123456 timer tea"});
  const std::uint64_t both[]{2, 1};
  troupe::journal_append settling;
  settling.settled = both;
  keep(*open(*k.store, "a"), settling);
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"last sent 2"});
  CHECK(k.store->keys() == lines{"a"});
}

TEST_CASE_TEMPLATE("journal store: a sender that is forgotten is not shown, and may be handled anew in the same append",
                   Kept, STORES) {
  Kept k;
  const auto handle = [&](const char* sender, std::uint64_t sequence, const lines& forgotten) {
    troupe::journal_append a;
    if (*sender != 0)
      a.handled = troupe::inbound{sender, sequence};
    a.forgotten = forgotten;
    keep(*open(*k.store, "a"), a);
  };
  for (const auto* sender : {"b", "c", "d"})
    handle(sender, 7, {});
  handle("c", 3, {"b", "c", "nobody"}); // a number below the one that was forgotten
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"handled c 3", "handled d 7"});
  handle("", 0, {"c", "d"});
  k.reopen();
  CHECK(kept_under(*k.store, "a").empty());
}

TEST_CASE_TEMPLATE("journal store: journals that owe something are listed with what is due first", Kept, STORES) {
  Kept k;
  const letter l{"hello"};
  const auto send = [&](const char* key, std::initializer_list<std::optional<troupe::wall_time_point>> dues) {
    std::vector<troupe::outbound> sends;
    for (const auto& due : dues)
      sends.push_back({sends.size() + 1, key, record(l), due, due ? "t" : ""});
    troupe::journal_append a;
    a.sends = sends;
    keep(*open(*k.store, key), a);
  };
  send("timers", {noon + 1s, noon, noon + 2s});
  send("message", {noon, std::nullopt});
  send("settled", {std::nullopt});
  keep_events(*open(*k.store, "events"), added{"1"});
  const std::uint64_t one[]{1};
  troupe::journal_append settling;
  settling.settled = one;
  keep(*open(*k.store, "settled"), settling);
  k.reopen();
  const auto owing = k.store->unsettled();
  REQUIRE(owing.size() == 2);
  CHECK(owing[0].key == "message");
  CHECK_FALSE(owing[0].due.has_value());
  CHECK(owing[1].key == "timers");
  CHECK(owing[1].due == noon);
}

TEST_CASE_TEMPLATE("journal store: what is erased is forgotten and its key may begin again", Kept, STORES) {
  Kept k;
  {
    auto j = open(*k.store, "a");
    const added e{"1"};
    const letter l{"hello"};
    const troupe::journal_record events[]{record(e)};
    const troupe::outbound sends[]{{1, "b", record(l), {}, {}}};
    keep(*j, {troupe::inbound{"c", 3}, events, sends, {}});
    j->snapshot(record(page{"1"}));
    j->erase();
    CHECK(replayed(*j) == lines{"last sent 1"}); // its number is used
  }
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"last sent 1"});
  CHECK(k.store->keys().empty());
  CHECK(k.store->unsettled().empty());
  {
    auto j = open(*k.store, "a");
    keep_events(*j, added{"anew"});
    j->erase();
    keep_events(*j, added{"once more"});
  }
  k.reopen();
  CHECK(kept_under(*k.store, "a") == lines{"added once more", "last sent 1"});
}

TEST_CASE_TEMPLATE("journal store: keys are listed by prefix in the order of their bytes", Kept, STORES) {
  Kept k;
  for (const auto* key : {"b", "a/2", "a/10", "a", "a%", "a_", "A", "aé", "a/"})
    keep_events(*open(*k.store, key), added{key});
  k.reopen();
  CHECK(k.store->keys() == lines{"A", "a", "a%", "a/", "a/10", "a/2", "a_", "aé", "b"});
  CHECK(k.store->keys("a/") == lines{"a/", "a/10", "a/2"});
  CHECK(k.store->keys("a%") == lines{"a%"});
  CHECK(k.store->keys("a_") == lines{"a_"});
  CHECK(k.store->keys("c").empty());
  CHECK(kept_under(*k.store, "a/") == lines{"added a/"});
  CHECK(kept_under(*k.store, "aé") == lines{"added aé"});
}

TEST_CASE_TEMPLATE("journal store: texts come back byte for byte", Kept, STORES) {
  Kept k;
  const std::string odd[]{"",
                          "'; DROP TABLE events; --",
                          "\"\\\n\t",
                          "žluťoučký 🐎",
                          std::string(1, '\0') + "after",
                          std::string(1 << 20, 'x')};
  {
    auto j = open(*k.store, "a");
    for (const auto& text : odd)
      keep_events(*j, added{text});
  }
  k.reopen();
  lines expected;
  for (const auto& text : odd)
    expected.push_back("added " + text);
  CHECK((kept_under(*k.store, "a") == expected));
}

TEST_CASE_TEMPLATE("journal store: whoever opens a journal sees what its former owner handed over", Kept, STORES) {
  Kept k;
  for (int i = 0; i < 50; ++i) {
    receipt r;
    const added e{std::to_string(i)};
    const troupe::journal_record events[]{record(e)};
    troupe::journal_append a;
    a.events = events;
    open(*k.store, "a")->append(a, r.maker()); // and is gone
    CHECK(kept_under(*k.store, "a").size() == static_cast<std::size_t>(i) + 1);
    r.wait();
  }
}

TEST_CASE_TEMPLATE("journal store: many threads write journals of their own", Kept, STORES) {
  Kept k;
  constexpr int threads = 8;
  constexpr int appends = 50;
  {
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t)
      all.emplace_back([&, t] {
        auto j = open(*k.store, "thread " + std::to_string(t));
        for (int i = 0; i < appends; ++i)
          keep_events(*j, removed{i}, added{std::to_string(t)});
      });
  }
  k.reopen();
  for (int t = 0; t < threads; ++t) {
    lines expected;
    for (int i = 0; i < appends; ++i) {
      expected.push_back("removed " + std::to_string(i));
      expected.push_back("added " + std::to_string(t));
    }
    CHECK(kept_under(*k.store, "thread " + std::to_string(t)) == expected);
  }
}

namespace {

/// What a journal must hold, kept the obvious way.
struct model {
  std::optional<std::string> snapshot;
  lines events;
  std::map<std::string, std::uint64_t> handled;
  std::uint64_t sent = 0;
  std::map<std::uint64_t, std::string> owed;

  /// `erased`: the highest number that an erased journal had sent.
  lines transcript(std::uint64_t erased) const {
    lines all;
    if (snapshot)
      all.push_back("snapshot page " + *snapshot);
    all.insert(all.end(), events.begin(), events.end());
    for (const auto& [sender, n] : handled)
      all.push_back("handled " + sender + ' ' + std::to_string(n));
    if (const auto highest = std::max(sent, erased); highest > 0)
      all.push_back("last sent " + std::to_string(highest));
    for (const auto& [n, text] : owed)
      all.push_back(std::to_string(n) + " to b: letter " + text);
    return all;
  }
};

/// One random append, to both.
void append_at_random(std::mt19937& dice, troupe::journal& j, model& m) {
  const auto draw = [&](unsigned n) { return static_cast<unsigned>(dice() % n); };
  std::vector<added> events(draw(3));
  std::vector<troupe::journal_record> records;
  for (auto& e : events) {
    e.text = std::to_string(dice());
    records.push_back(record(e));
    m.events.push_back("added " + e.text);
  }
  troupe::journal_append a;
  std::string sender;
  if (draw(2) == 0) {
    sender = std::string(1, static_cast<char>('s' + draw(3)));
    a.handled = troupe::inbound{sender, draw(20) + 1};
    m.handled[sender] = std::max(m.handled[sender], a.handled->sequence);
  }
  std::vector<letter> letters(draw(3));
  std::vector<troupe::outbound> sends;
  std::vector<std::uint64_t> settled;
  for (const auto& [n, text] : m.owed)
    if (draw(3) == 0)
      settled.push_back(n);
  for (const auto n : settled)
    m.owed.erase(n);
  for (auto& l : letters) {
    l.text = std::to_string(dice());
    sends.push_back({++m.sent, "b", record(l), {}, {}});
    m.owed[m.sent] = l.text;
  }
  a.events = records;
  a.sends = sends;
  a.settled = settled;
  keep(j, a);
}

} // namespace

TEST_CASE_TEMPLATE("journal store: random histories come back as a model has them", Kept, STORES) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    std::mt19937 dice{seed};
    Kept k;
    std::map<std::string, model> models;
    std::uint64_t erased = 0;
    for (int step = 0; step < 60; ++step) {
      const auto key = std::string(1, static_cast<char>('a' + dice() % 3));
      auto& m = models[key];
      auto j = open(*k.store, key);
      switch (dice() % 10) {
        case 0:
          j.reset();
          k.reopen();
          break;
        case 1:
          m.snapshot = std::to_string(dice());
          m.events.clear();
          j->snapshot(record(page{*m.snapshot}));
          break;
        case 2:
          if (dice() % 4 == 0) {
            j->erase();
            erased = std::max(erased, m.sent);
            m = {};
            m.sent = erased;
          }
          break;
        case 3: CHECK(replayed(*j) == m.transcript(erased)); break;
        default: append_at_random(dice, *j, m);
      }
    }
    k.reopen();
    for (const auto& [key, m] : models)
      CHECK(kept_under(*k.store, key) == m.transcript(erased));
  }
}

TEST_CASE_TEMPLATE("journal store: numbers of an outbox are not used again after its journal was erased", Kept,
                   STORES) {
  Kept k;
  const letter l{"hello"};
  const troupe::outbound sends[]{{41, "b", record(l), {}, {}}, {42, "b", record(l), {}, {}}};
  {
    auto j = open(*k.store, "a");
    CHECK(replayed(*j).empty());
    troupe::journal_append a;
    a.sends = sends;
    keep(*j, a);
    keep_events(*open(*k.store, "c"), added{"1"});
    j->erase();
    CHECK(replayed(*j) == lines{"last sent 42"});
  }
  CHECK(replayed(*open(*k.store, "a")) == lines{"last sent 42"});
  CHECK(replayed(*open(*k.store, "c")) == lines{"added 1", "last sent 42"}); // the highest of the store
  k.reopen();
  CHECK(replayed(*open(*k.store, "a")) == lines{"last sent 42"});
  CHECK(replayed(*open(*k.store, "c")) == lines{"added 1", "last sent 42"}); // the highest of the store
  const troupe::outbound later[]{{50, "b", record(l), {}, {}}};
  auto j = open(*k.store, "a");
  troupe::journal_append a;
  a.sends = later;
  keep(*j, a);
  CHECK(replayed(*j) == lines{"last sent 50", "50 to b: letter hello"});
}
