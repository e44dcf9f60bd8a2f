// SPDX-License-Identifier: BSD-3-Clause
// Claims: equal seeds give equal runs; faults strike as they are asked to; what must hold is checked; a crash of the
// process keeps what was synced and nothing else. Observed: hashes of runs, and small programs whose runs are known.
#include <troupe/testing/explore.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;

namespace {

struct hop {
  int left;
};

/// Passes a message on to the next one, around a ring.
class runner : public actor<runner, hop, std::monostate> {
public:
  explicit runner(std::shared_ptr<std::vector<ref<runner>>> ring, std::size_t at) : ring_{std::move(ring)}, at_{at} {}
  void on(const hop& h) {
    if (h.left > 0)
      (*ring_)[(at_ + 1 + random().below(3)) % ring_->size()].tell(hop{h.left - 1});
  }
  void on(const std::monostate&) {}

private:
  const std::shared_ptr<std::vector<ref<runner>>> ring_;
  const std::size_t at_;
};

/// Fails so often.
class failing : public actor<failing, std::monostate> {
public:
  explicit failing(int* times) : times_{times} {}
  void on(const std::monostate&) {
    if ((*times_)-- > 0)
      throw std::runtime_error{"not yet"};
  }

private:
  int* times_;
};

/// Of this process: what else the machine does is not counted.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

simulation_figures run_ring(const simulation_options& o, int runners, int balls, int hops) {
  simulation sim{o};
  auto ring = std::make_shared<std::vector<ref<runner>>>();
  sim.run([&](troupe::system& sys) {
    auto top = sys.supervise("ring", {.intensity = unlimited, .group_intensity = unlimited, .backoff = {.min = 1ms}});
    ring->clear();
    for (int i = 0; i < runners; ++i)
      ring->push_back(top.start<runner>("r" + std::to_string(i), {.retries = 100}, ring, static_cast<std::size_t>(i)));
    for (int i = 0; i < balls; ++i)
      (*ring)[static_cast<std::size_t>(i % runners)].tell(hop{hops});
  });
  ring->clear();
  return sim.figures();
}

} // namespace

TEST_CASE("simulation: equal seeds give equal runs and other seeds give others") {
  simulation_options o{.seed = 7, .faults = {.crash = 0.01, .preempt = 0.1, .slow = 0.01, .full = 0.001}};
  const auto one = run_ring(o, 10, 5, 200);
  CHECK(one.messages >= 500);
  CHECK(one.faults > 50);
  CHECK(one.restarts > 0);
  for (int i = 0; i < 3; ++i)
    CHECK(run_ring(o, 10, 5, 200).hash == one.hash);
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    o.seed = seed;
    hashes.insert(run_ring(o, 10, 5, 200).hash);
  }
  CHECK(hashes.size() == 20);
}

TEST_CASE("simulation: speed") {
  const auto begin = processor_seconds();
  const auto f = run_ring({.seed = 3, .turns_max = 100'000'000}, 100, 50, 20'000);
  const auto per_second = static_cast<double>(f.messages) / (processor_seconds() - begin);
  MESSAGE(per_second << " messages per second of processor time");
  CHECK(f.messages > 1'000'000);
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
  CHECK(per_second > 500'000);
#endif
}

// -- the parts of a run ------------------------------------------------------------------------------------------------

namespace {

struct tick {};
struct poke {
  using reply = int;
};

/// Ticks once a second, for ever.
class ticker : public actor<ticker, tick, poke> {
public:
  explicit ticker(int* ticks) : ticks_{ticks} { every(1s, tick{}); }
  void on(const tick&) { ++*ticks_; }
  int on(const poke&) const { return *ticks_; }

private:
  int* const ticks_;
};

/// Two actors that write their name to a shared list: the order is what the simulation decides.
class scribe : public actor<scribe, tick> {
public:
  scribe(std::string* list, char name) : list_{list}, name_{name} { self().tell(tick{}); }
  void on(const tick&) { *list_ += name_; }

private:
  std::string* const list_;
  const char name_;
};

void three_scribes(simulation& sim, std::string& list) {
  sim.run([&](troupe::system& sys) {
    for (const char c : {'a', 'b', 'c'})
      sys.spawn<scribe>(&list, c);
  });
}

} // namespace

TEST_CASE("simulation: hours pass in no time where little happens") {
  int ticks = 0;
  simulation sim{{.run_for = 24h}};
  const auto begin = processor_seconds();
  sim.run([&](troupe::system& sys) { sys.spawn<ticker>(&ticks); });
  const auto hours_per_second = 24 / (processor_seconds() - begin);
  CHECK(ticks == 86'400);
  CHECK(sim.figures().time == 24h);
  MESSAGE(hours_per_second << " simulated hours of one tick per second in a second of processor time");
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
  CHECK(hours_per_second > 10);
#endif
}

TEST_CASE("simulation: first in first out without faults is what a stepped system does with seed 0") {
  std::string list;
  simulation sim{{.strategy = exploration_strategy::first_in_first_out}};
  three_scribes(sim, list);
  CHECK(list == "abc");
  CHECK(sim.figures().faults == 0);
}

TEST_CASE("simulation: uniform seeds reach every order, and an exhaustive search reaches each once") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::string list;
    simulation sim{{.seed = seed}};
    three_scribes(sim, list);
    seen.insert(list);
  }
  CHECK(seen.size() == 6);
  std::multiset<std::string> searched;
  const auto e = explore({.exhaustive = true, .reduce = false}, [&](simulation& sim) {
    std::string list;
    three_scribes(sim, list);
    searched.insert(list);
  });
  CHECK(e.complete);
  CHECK(e.runs == 7); // one more first, for reference
  CHECK(std::set<std::string>{searched.begin(), searched.end()}.size() == 6);
  const auto reduced = explore({.exhaustive = true}, [&](simulation& sim) {
    std::string list;
    three_scribes(sim, list);
  });
  CHECK(reduced.complete);
  CHECK(reduced.runs - reduced.redundant == 2); // the scribes have nothing to do with each other
}

TEST_CASE("simulation: a schedule gives the run again from which it was taken") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::string list;
    simulation first{{.seed = seed, .faults = {.slow = 0.3}}, nullptr, true};
    three_scribes(first, list);
    std::string again;
    simulation second{{.replay = parse_schedule(to_string(first.taken()))}};
    three_scribes(second, again);
    CHECK(again == list);
    CHECK(second.figures().hash == first.figures().hash);
  }
}

TEST_CASE("simulation: the program may ask, wait and let time pass") {
  int ticks = 0, seen = 0;
  simulation sim{{.run_for = 10s}};
  sim.run([&](troupe::system& sys) {
    const auto t = sys.spawn<ticker>(&ticks);
    sys.advance(3s);
    seen = t.ask(poke{}).get();
  });
  CHECK(seen == 3);
  CHECK(ticks == 10);
}

TEST_CASE(
    "simulation: an invariant is checked after every turn, and what does not hold in the end is a violation too") {
  int ticks = 0;
  simulation sim{{.run_for = 1h}};
  sim.invariant("fewer than five ticks", [&] { return ticks < 5; });
  CHECK_THROWS_WITH_AS(sim.run([&](troupe::system& sys) { sys.spawn<ticker>(&ticks); }),
                       doctest::Contains("fewer than five ticks"), violation);
  CHECK(ticks == 5);
  simulation other{{.run_for = 10s}};
  other.eventually("a hundred ticks", [&] { return ticks >= 100; });
  CHECK_THROWS_AS(other.run([&](troupe::system& sys) { sys.spawn<ticker>(&ticks); }), violation);
}

TEST_CASE("simulation: what the program throws is a violation named program") {
  simulation sim;
  try {
    sim.run([](troupe::system& sys) {
      sys.spawn<ticker>(nullptr).stop();
      throw std::runtime_error{"no such file"};
    });
    FAIL("it must throw");
  } catch (const violation& v) {
    CHECK(v.rule() == "program");
    CHECK(std::string{v.what()}.find("no such file") != std::string::npos);
  }
}

TEST_CASE("simulation: a run that never comes to rest is a violation") {
  struct restless : actor<restless, tick> {
    restless() { self().tell(tick{}); }
    void on(const tick&) { self().tell(tick{}); }
  };
  simulation sim{{.turns_max = 1'000}};
  CHECK_THROWS_WITH_AS(sim.run([](troupe::system& sys) { sys.spawn<restless>(); }), doctest::Contains("turns_max"),
                       violation);
}

TEST_CASE("simulation: a thread is refused, so that nothing escapes unseen") {
  simulation sim;
  CHECK_THROWS_WITH_AS(sim.run([](troupe::system& sys) { sys.through().threads->start("writer", [] {}); }),
                       doctest::Contains("starts no threads"), violation);
}

TEST_CASE("simulation: a run that is not the same again is found out") {
  int runs = 0;
  const auto e = explore({.seeds = 10, .repeat_every = 1}, [&](simulation& sim) {
    int ticks = 0;
    sim.run([&](troupe::system& sys) {
      sys.spawn<ticker>(&ticks);
      sys.advance(std::chrono::seconds{++runs}); // as with a real clock
    });
  });
  REQUIRE(e.found);
  CHECK(e.found->rule == "determinism");
}

#ifndef __SANITIZE_ADDRESS__ // its malloc gives addresses in the order of asking
TEST_CASE("simulation: an order that depends on addresses is found out") {
  const auto e = explore({.seeds = 3, .repeat_every = 1}, [](simulation& sim) {
    std::string list;
    std::vector<std::unique_ptr<char>> names;
    std::set<const char*> by_address; // as code does that escapes the seams
    for (const char c : {'a', 'b', 'c', 'd', 'e', 'f'})
      by_address.insert(names.emplace_back(std::make_unique<char>(c)).get());
    sim.run([&](troupe::system& sys) {
      for (const auto* name : by_address) {
        sys.spawn<scribe>(&list, *name);
        if (*name == 'a')
          sys.spawn<ticker>(nullptr).stop(); // a different message at a different time
      }
    });
  });
  REQUIRE(e.found);
  CHECK(e.found->rule == "determinism");
}
#endif

TEST_CASE("simulation: an exploration says how much of the interleavings it has seen") {
  const auto program = [](simulation& sim) {
    std::string list;
    three_scribes(sim, list);
  };
  const auto few = explore({.seeds = 2}, program);
  const auto many = explore({.seeds = 300}, program);
  CHECK(many.unseen == 0);
  CHECK(many.interleavings == few.interleavings); // the scribes share nothing: each handles its one message
  struct pair_of_scribes {
    static void run(simulation& sim) {
      std::string list;
      struct talker : actor<talker, tick, poke> {
        explicit talker(ref<scribe> to) : to_{std::move(to)} { self().tell(tick{}); }
        void on(const tick&) { to_.tell(tick{}); }
        int on(const poke&) const { return 0; }
        ref<scribe> to_;
      };
      sim.run([&](troupe::system& sys) {
        const auto s = sys.spawn<scribe>(&list, 's');
        for (int i = 0; i < 3; ++i)
          sys.spawn<talker>(s);
      });
    }
  };
  const auto some = explore({.seeds = 5}, &pair_of_scribes::run);
  const auto all = explore({.seeds = 500}, &pair_of_scribes::run);
  CHECK(all.interleavings > some.interleavings);
  CHECK(all.unseen < some.unseen);
  CHECK(all.unseen < 0.02);   // 4! orders of four messages, some of them alike
  CHECK(all.neighbours == 3); // a talker's first, a scribe's first, and one after the other
  CHECK(all.last_new == 1);
  CHECK(all.hash != some.hash);
  CHECK(explore({.seeds = 500}, &pair_of_scribes::run).hash == all.hash);
}

TEST_CASE("simulation: the canary is found by the first seed, whatever the strategy") {
  for (const auto strategy : {exploration_strategy::first_in_first_out, exploration_strategy::uniform,
                              exploration_strategy::priorities, exploration_strategy::mixed}) {
    const auto e = explore({.seeds = 5, .strategy = strategy}, [](simulation& sim) {
      std::string list;
      sim.eventually("canary", [] { return false; });
      three_scribes(sim, list);
    });
    REQUIRE(e.found);
    CHECK(e.found->rule == "canary");
    CHECK(e.found->runs == 1);
    CHECK(e.found->smallest.choices.empty());
  }
}

TEST_CASE("simulation: a finding says how to run it again, and exports itself as a test case") {
  const auto program = [](simulation& sim) {
    std::string list;
    sim.eventually("c is not first", [&] { return list[0] != 'c'; });
    three_scribes(sim, list);
  };
  const auto e = explore({.name = "scribes", .arguments = "-tc=\"some case\""}, program);
  REQUIRE(e.found);
  const auto& f = *e.found;
  CHECK(f.smallest.choices.size() == 1);
  CHECK(f.command.find("TROUPE_SIMULATION='scribes " + to_string(f.smallest) + "' ") == 0);
  CHECK(f.command.find("-tc=\"some case\"") != std::string::npos);
  CHECK(f.trace.find("scribe#4 goes before 2 that were ready earlier") != std::string::npos);
  CHECK(f.trace.find("scribe#4 handles tick #3 from scribe#4") != std::string::npos);
  const auto text = f.test_case("scribes");
  CHECK(text.find("TEST_CASE(\"scribes: c is not first (in the end)\") {") != std::string::npos);
  CHECK(text.find("parse_schedule(\"" + to_string(f.smallest) + "\")") != std::string::npos);
  CHECK(text.find("CHECK_NOTHROW(scribes(sim));") != std::string::npos);
  CHECK(text.find("simulation_options o;") != std::string::npos);
}

namespace {

/// The variable of the environment that asks for one run, for as long as this lives.
class asked_for {
public:
  explicit asked_for(const std::string& text) { ::setenv("TROUPE_SIMULATION", text.c_str(), 1); }
  ~asked_for() { ::unsetenv("TROUPE_SIMULATION"); }
};

} // namespace

TEST_CASE("simulation: the command of a finding makes that run alone, by seed or by schedule") {
  const auto program = [](simulation& sim) {
    std::string list;
    sim.eventually("c is not first", [&] { return list[0] != 'c'; });
    three_scribes(sim, list);
  };
  const exploration_options o{.name = "scribes", .seeds = 50};
  const auto found = explore(o, program).found;
  REQUIRE(found);
  for (const auto& command : {found->command, found->seed_command}) {
    CHECK(found->text().find(command) != std::string::npos);
    const auto from = command.find('\'') + 1;
    const asked_for one{command.substr(from, command.find('\'', from) - from)};
    const auto again = explore(o, program);
    CHECK(again.runs == 1);
    REQUIRE(again.found);
    CHECK(again.found->rule == found->rule);
    CHECK(again.found->trace.find("scribe#4 handles tick") != std::string::npos);
  }
  {
    const asked_for default_order{"scribes 1/"};
    const auto e = explore(o, program);
    CHECK(e.runs == 1);
    CHECK(!e.found);
  }
  {
    const asked_for another{"somebody-else 1"};
    CHECK(explore(o, program).runs == found->runs);
  }
  for (const auto* wrong : {"scribes", "scribes x", "scribes 1/q"}) {
    const asked_for nonsense{wrong};
    CHECK_THROWS_AS(explore(o, program), std::invalid_argument);
  }
}

TEST_CASE("simulation: an exhaustive search puts a fault into every place") {
  std::set<std::string> seen;
  const auto e =
      explore({.faults = {.crash = 1}, .faults_max = 1, .exhaustive = true, .reduce = false}, [&](simulation& sim) {
        std::string list;
        sim.run([&](troupe::system& sys) {
          const auto top = sys.supervise("top", {.backoff = {.min = 1ms}});
          top.start<scribe>("a", {}, &list, 'a');
          top.start<scribe>("b", {}, &list, 'b');
        });
        seen.insert(list + ' ' + std::to_string(sim.figures().restarts));
      });
  CHECK(e.complete);
  // Each of them first, and none, one or the other failing at its message: what failed comes last.
  for (const auto* wanted : {"ab 0", "ba 0", "ab 1", "ba 1"}) {
    CAPTURE(wanted);
    CHECK(seen.contains(wanted));
  }
  CHECK(e.faults > 0);
}

TEST_CASE("simulation: a program's notes stand in the trace, and it may crash its own process") {
  simulation sim{{.trace_capacity = 100}};
  std::string list;
  sim.run([&](troupe::system& sys) {
    sim.note("boot " + std::to_string(sim.boot()));
    sys.spawn<scribe>(&list, static_cast<char>('a' + sim.boot()));
    if (sim.boot() == 0)
      sim.crash();
  });
  const auto text = sim.trace_text();
  CHECK(text.find("boot 0") < text.find("== the process crashes"));
  CHECK(text.find("== the process crashes") < text.find("boot 1"));
  CHECK(text.find("boot 1") != std::string::npos);
  CHECK(sim.figures().boots == 2);
}

TEST_CASE("simulation: the trace says how long a restart was put off") {
  simulation sim{{.trace_capacity = 100}};
  int failures = 3;
  std::vector<std::string> delays;
  troupe::event_stream::subscription events;
  sim.run([&](troupe::system& sys) {
    events = sys.events().subscribe([&](const troupe::event& e) {
      if (const auto* s = std::get_if<troupe::supervision_event>(&e); s != nullptr && s->delay.count() != 0)
        delays.push_back(troupe::readable(s->delay));
    });
    const auto a = sys.supervise("top", {.backoff = {.min = 80ms}}).start<failing>("a", {}, &failures);
    for (int i = 0; i < 3; ++i)
      a.tell(std::monostate{});
  });
  REQUIRE(!delays.empty());
  CHECK(delays.front().ends_with(" ms"));
  CHECK(sim.trace_text().find(", after " + delays.front() + '\n') != std::string::npos);
}

TEST_CASE("simulation: an exported test case has all that its schedule needs") {
  const auto program = [](simulation& sim) {
    std::string list;
    sim.outcome("list", [&] { return list; });
    three_scribes(sim, list);
  };
  exploration_options o{
      .name = "scribes", .faults = {.slow = 0.3, .slow_by = 70ms}, .same_outcome = true, .run_for = 9s};
  o.faults.crash_at_sends = false;
  const auto e = explore(o, program);
  REQUIRE(e.found);
  CHECK(e.found->expected == "abc");
  CHECK(e.found->settings == ".faults = {.crash_at_sends = false, .slow_by = std::chrono::nanoseconds{70000000}}, "
                             ".run_for = std::chrono::nanoseconds{9000000000}");
  const auto text = e.found->test_case("scribes");
  CHECK(text.find("simulation_options o{.faults = {.crash_at_sends") != std::string::npos);
  CHECK(text.find("CHECK(sim.outcomes().at(R\"text(list)text\") == R\"text(abc)text\");") != std::string::npos);
  // What it says, done: the schedule leads to another outcome.
  simulation_options again{.faults = {.crash_at_sends = false, .slow_by = std::chrono::nanoseconds{70000000}},
                           .run_for = std::chrono::nanoseconds{9000000000}};
  again.replay = e.found->smallest;
  simulation sim{again};
  CHECK_NOTHROW(program(sim));
  CHECK(sim.outcomes().at("list") != "abc");
}

TEST_CASE("simulation: outcomes are compared with those of a run without faults") {
  const auto e = explore({.name = "outcome", .same_outcome = true}, [](simulation& sim) {
    std::string list;
    sim.outcome("list", [&] { return list; });
    three_scribes(sim, list);
  });
  REQUIRE(e.found);
  CHECK(e.found->rule == "list");
}

TEST_CASE("simulation: blocking calls are turns like others, and have no thread") {
  struct caller : actor<caller, tick> {
    explicit caller(std::string* list) : list_{list} { self().tell(tick{}); }
    task<> on(const tick&) {
      auto call = blocking([list = list_] { *list += 'x'; });
      *list_ += '1';
      co_await call;
      *list_ += '2';
    }
    std::string* list_;
  };
  std::string list;
  simulation sim;
  sim.run([&](troupe::system& sys) { sys.spawn<caller>(&list); });
  CHECK(list == "1x2");
}

TEST_CASE("simulation: after a crash of the process the program starts anew, with what was synced and nothing else") {
  unsigned crashes = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    int ticks = 0, goodbyes = 0;
    unsigned boots = 0;
    struct polite : actor<polite, tick> {
      explicit polite(int* goodbyes) : goodbyes_{goodbyes} { every(1s, tick{}); }
      void on(const tick&) {}
      void on_stop() { ++*goodbyes_; }
      int* goodbyes_;
    };
    simulation sim{{.seed = seed, .faults = {.process_crash = 0.05, .process_crashes_max = 2}, .run_for = 20s}};
    sim.run([&](troupe::system& sys) {
      CHECK(sim.boot() == boots);
      ++boots;
      sys.spawn<ticker>(&ticks);
      sys.spawn<polite>(&goodbyes);
    });
    CHECK(sim.figures().boots == boots);
    CHECK(boots <= 3);
    CHECK(goodbyes == 1); // of the last one only: a crash says none
    crashes += boots - 1;
  }
  CHECK(crashes > 10);
}

TEST_CASE("simulation: priorities with depth 1 run one actor as long as it can") {
  // With n actors and d = 1 each of the n! orders of priorities is possible, and no other order of turns.
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    struct talker : actor<talker, tick> {
      talker(std::string* list, char name) : list_{list}, name_{name} { self().tell(tick{}); }
      void on(const tick&) {
        *list_ += name_;
        if (++said_ < 3)
          self().tell(tick{});
      }
      std::string* list_;
      char name_;
      int said_ = 0;
    };
    std::string list;
    simulation sim{{.seed = seed, .strategy = exploration_strategy::priorities, .depth = 1}};
    sim.run([&](troupe::system& sys) {
      for (const char c : {'a', 'b', 'c'})
        sys.spawn<talker>(&list, c);
    });
    seen.insert(list);
  }
  CHECK(seen == std::set<std::string>{"aaabbbccc", "aaacccbbb", "bbbaaaccc", "bbbcccaaa", "cccaaabbb", "cccbbbaaa"});
}
