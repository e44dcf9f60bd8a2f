// SPDX-License-Identifier: BSD-3-Clause
// Claim: links between nodes are late, lose, and break as they are asked to, in the order of sending, and every accepted
// message keeps its outcome; mistakes that only such links show are found within a stated number of seeds.
// Observed: what arrives and when, over many seeds; each defect in both forms.
#include "defect.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using support::finds;

namespace {

struct go {};
struct ball {
  int number;
};
struct count {
  using reply = int;
};

/// What arrived, and when.
struct arrivals {
  std::vector<std::pair<int, time_point>> all;
  int counted = 0;
};

class catcher : public actor<catcher, ball, count> {
public:
  explicit catcher(arrivals* a) : arrivals_{a} {}
  void on(const ball& b) { arrivals_->all.emplace_back(b.number, system().now()); }
  int on(const count&) { return ++arrivals_->counted; }

private:
  arrivals* const arrivals_;
};

/// Throws a ball every 10 ms; asks with every tenth.
class thrower : public actor<thrower, go> {
public:
  thrower(ref<catcher> to, int* unanswered) : to_{std::move(to)}, unanswered_{unanswered} { self().tell(go{}); }
  task<> on(const go&) {
    to_.tell(ball{++thrown_});
    if (thrown_ < 100)
      after(10ms, go{});
    if (thrown_ % 10 == 0) {
      auto asked = to_.ask(count{}, 1s);
      *unanswered_ += !co_await asked.outcome();
    }
  }

private:
  const ref<catcher> to_;
  int* const unanswered_;
  int thrown_ = 0;
};

struct game {
  arrivals caught;
  int unanswered = 0;
  simulation_figures figures{};
  ledger books{};
};

game play(const simulation_options& o) {
  game g;
  simulation sim{o};
  sim.node("west");
  sim.run([&](troupe::system& sys) {
    g.caught = {};
    const auto c = sys.supervise("west").start<catcher>("catcher", {}, &g.caught);
    sys.supervise("east").start<thrower>("thrower", {}, c, &g.unanswered);
    if (sim.boot() == 0)
      sys.advance(10s);
    g.books = c.books();
  });
  g.figures = sim.figures();
  return g;
}

bool in_order(const arrivals& a) {
  return std::ranges::is_sorted(a.all, {}, [](const auto& x) { return x.first; });
}

} // namespace

TEST_CASE("links: without faults they are not there") {
  const auto g = play({.seed = 3});
  CHECK(g.caught.all.size() == 100);
  CHECK(g.caught.counted == 10);
  CHECK(g.unanswered == 0);
  CHECK(g.figures.faults == 0);
  CHECK(g.caught.all.back().second == time_point{990ms});
}

TEST_CASE("links: what is late keeps its order, and everything arrives") {
  bool any_late = false;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const auto g = play({.seed = seed, .faults = {.link_delay = 0.1, .link_delay_by = 200ms}});
    CHECK(g.caught.all.size() == 100);
    CHECK(in_order(g.caught));
    CHECK(g.unanswered == 0);
    for (const auto& [number, at] : g.caught.all) {
      const auto late = at - time_point{(number - 1) * 10ms};
      CHECK(late >= 0ms);
      CHECK(late <= 200ms);
      any_late |= late > 0ms;
    }
  }
  CHECK(any_late);
}

TEST_CASE("links: what is lost is lost for its receiver alone, and its asker waits until the deadline") {
  std::size_t lost = 0;
  int unanswered = 0, counted = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto g = play({.seed = seed, .faults = {.link_loss = 0.1}});
    CHECK(in_order(g.caught));
    CHECK(g.books.balanced());
    CHECK(g.books.accepted == g.caught.all.size() + static_cast<std::size_t>(g.caught.counted));
    CHECK(g.unanswered >= 10 - g.caught.counted); // and those whose reply was lost
    lost += 100 - g.caught.all.size();
    unanswered += g.unanswered;
    counted += g.caught.counted;
  }
  CHECK(lost > 400);
  CHECK(lost < 600);
  CHECK(unanswered > 500 - counted);
}

TEST_CASE("links: one that is down loses everything for a while, and what was on its way") {
  bool cut = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto g = play({.seed = seed,
                         .faults = {.link_delay = 1, .link_delay_by = 80ms, .link_down = 0.02, .link_down_for = 400ms},
                         .faults_max = 1'000});
    CHECK(in_order(g.caught));
    CHECK(g.books.balanced());
    int before = 0, longest = 0;
    for (const auto& [number, at] : g.caught.all) {
      longest = std::max(longest, number - before - 1);
      before = number;
    }
    cut |= longest >= 10;
  }
  CHECK(cut);
}

TEST_CASE("links: equal seeds give equal runs, and a schedule the run from which it was taken") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const simulation_options o{.seed = seed,
                               .faults = {.preempt = 0.1,
                                          .process_crash = 0.001,
                                          .link_delay = 0.2,
                                          .link_loss = 0.05,
                                          .link_down = 0.01,
                                          .link_down_for = 1s}};
    const auto g = play(o);
    CHECK(play(o).figures.hash == g.figures.hash);
    const auto program = [](simulation& sim) {
      int unanswered = 0;
      arrivals a;
      sim.node("west");
      sim.run([&](troupe::system& sys) {
        const auto c = sys.supervise("west").start<catcher>("catcher", {}, &a);
        sys.supervise("east").start<thrower>("thrower", {}, c, &unanswered);
      });
    };
    simulation first{o, nullptr, true};
    program(first);
    simulation second{{.faults = {.link_down_for = 1s}, .replay = first.taken()}};
    program(second);
    CHECK(second.figures().hash == first.figures().hash);
  }
}

TEST_CASE("links: actors given the same node, and the longest path, share none") {
  simulation sim{{.seed = 1, .faults = {.link_loss = 1}}};
  sim.node("a", "one");
  sim.node("b", "one");
  sim.node("b/far", "two");
  arrivals near, far;
  int unanswered = 0;
  sim.run([&](troupe::system& sys) {
    const auto b = sys.supervise("b");
    const auto a = sys.supervise("a");
    a.start<thrower>("near", {}, b.start<catcher>("near", {}, &near), &unanswered);
    a.start<thrower>("far", {}, b.start<catcher>("far", {}, &far), &unanswered);
  });
  CHECK(near.all.size() == 100);
  CHECK(near.counted == 10);
  CHECK(far.all.empty());
  CHECK(unanswered == 10);
}

// -- a request that is repeated ----------------------------------------------------------------------------------------

namespace {

struct withdraw {
  int number;
  using reply = bool;
};

class till : public actor<till, withdraw> {
public:
  till(bool sound, std::map<int, int>* paid) : sound_{sound}, paid_{paid} {}
  bool on(const withdraw& w) {
    if (!sound_ || !paid_->contains(w.number))
      ++(*paid_)[w.number];
    return true;
  }

private:
  const bool sound_;
  std::map<int, int>* const paid_; // as if it were journaled
};

/// Asks again until it is answered: what it cannot know is whether the request was lost or the reply.
class customer : public actor<customer, go> {
public:
  explicit customer(ref<till> at) : till_{std::move(at)} { self().tell(go{}); }
  task<> on(const go&) {
    auto asked = till_.ask(withdraw{number_}, 500ms);
    if (co_await asked.outcome())
      ++number_;
    if (number_ <= 5)
      self().tell(go{});
  }

private:
  const ref<till> till_;
  int number_ = 1;
};

simulated_program bank(bool sound) {
  return [sound](simulation& sim) {
    std::map<int, int> paid;
    sim.node("branch");
    sim.eventually("each withdrawal is paid once", [&] {
      return paid == std::map<int, int>{{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}};
    });
    sim.run([&](troupe::system& sys) {
      const auto t = sys.supervise("branch").start<till>("till", {}, sound, &paid);
      sys.supervise("town").start<customer>("customer", {}, t);
    });
  };
}

} // namespace

TEST_CASE("link defect: a request that is repeated although it was served is found within 50 seeds") {
  finds({.name = "withdrawals", .faults = {.link_delay = 0.1, .link_loss = 0.1, .link_down = 0.02}},
        "each withdrawal is paid once", 50, bank(false), bank(true));
}

// -- two that lead -----------------------------------------------------------------------------------------------------

namespace {

struct beat {};

/// Who leads, with a lease of a second in the sound form: it stops leading before the other begins.
struct office {
  int leaders = 0;
};

/// Leads while it is told to, and tells the deputy that it does. Sound: each beat is a request, and without an answer for a
/// second it resigns.
class leader : public actor<leader, go> {
public:
  leader(bool sound, ref<class deputy> other, office* o);
  ~leader() {
    if (leads_)
      --office_->leaders;
  }
  task<> on(const go&);

private:
  const bool sound_;
  const ref<class deputy> other_;
  office* const office_;
  bool leads_ = true;
  time_point heard_{};
};

struct heartbeat {
  using reply = bool;
};

/// Leads when it has heard nothing for three seconds.
class deputy : public actor<deputy, heartbeat, beat> {
public:
  explicit deputy(office* o) : office_{o} { after("silence", 3s, beat{}); }
  ~deputy() {
    if (leads_)
      --office_->leaders;
  }
  bool on(const heartbeat&) {
    if (!leads_)
      after("silence", 3s, beat{});
    return !leads_;
  }
  void on(const beat&) {
    leads_ = true;
    ++office_->leaders;
  }

private:
  office* const office_;
  bool leads_ = false;
};

leader::leader(bool sound, ref<deputy> other, office* o)
    : sound_{sound}, other_{std::move(other)}, office_{o}, heard_{system().now()} {
  ++office_->leaders;
  self().tell(go{});
}

task<> leader::on(const go&) {
  after("beat", 500ms, go{});
  if (sound_ && leads_ && system().now() - heard_ > 1s) {
    leads_ = false;
    --office_->leaders;
  }
  const auto asked_at = system().now();
  auto asked = other_.ask(heartbeat{}, 400ms);
  const auto still = co_await asked.outcome();
  if (still && *still)
    heard_ = asked_at; // the deputy's three seconds began later
}

simulated_program election(bool sound) {
  return [sound](simulation& sim) {
    office o;
    sim.node("east");
    sim.invariant("there are never two leaders", [&] { return o.leaders <= 1; });
    sim.run([&](troupe::system& sys) {
      const auto d = sys.supervise("east").start<deputy>("deputy", {}, &o);
      sys.supervise("west").start<leader>("leader", {}, sound, d, &o);
    });
  };
}

} // namespace

TEST_CASE("link defect: two leaders after a partition are found within 20 seeds") {
  finds({.name = "election",
         .faults = {.link_delay = 0.05, .link_loss = 0.02, .link_down = 0.01, .link_down_for = 20s},
         .run_for = 3min},
        "there are never two leaders", 20, election(false), election(true));
}
