// SPDX-License-Identifier: BSD-3-Clause
// Claim: the simulation finds mistakes about restarts and time, each within a stated number of seeds, and does not
// accuse the program without the mistake. Observed: each program exists in both forms.
#include "defect.hpp"

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using support::finds;
using support::patient;

namespace {

struct go {};

child_options retrying(unsigned times = 100) {
  child_options o;
  o.retries = times;
  return o;
}

} // namespace

// -- double restart ----------------------------------------------------------------------------------------------------

namespace {

struct beat {};
struct look {};

class service : public actor<service, beat> {
public:
  explicit service(int* alive) : alive_{alive} { ++*alive_; }
  ~service() { --*alive_; }
  void on(const beat&) {}

private:
  int* const alive_;
};

/// Starts its service again when it has not answered for long, or when it has ended: at times for both reasons.
class watchdog : public actor<watchdog, look, stopped> {
public:
  watchdog(bool sound, int* alive) : sound_{sound}, alive_{alive} {
    start();
    every(50ms, look{});
  }
  task<> on(const look&) {
    const auto asked_for = current_;
    auto asked = asked_for.ask(beat{}, 40ms);
    const auto answer = co_await asked.outcome();
    if (answer || (sound_ && !(asked_for == current_)))
      co_return;
    asked_for.kill();
    if (!sound_)
      start(); // and again when the watch tells of its end
  }
  void on(const stopped& s) {
    if (!sound_ || s.id == current_.id())
      start();
  }

private:
  void start() {
    if (++starts_ > 20)
      return stop();
    current_ = system().spawn<service>(alive_);
    watch(current_);
  }

  const bool sound_;
  int* const alive_;
  int starts_ = 0;
  ref<service> current_;
};

simulated_program watched(bool sound) {
  return [sound](simulation& sim) {
    int alive = 0;
    sim.invariant("one service at a time", [&] { return alive <= 1; });
    sim.run([&](troupe::system& sys) { sys.spawn<watchdog>(sound, &alive); });
  };
}

} // namespace

TEST_CASE("restart defect: a double restart is found within 50 seeds") {
  finds({.name = "double-restart", .faults = {.slow = 0.1}, .run_for = 2s}, "one service at a time", 50, watched(false),
        watched(true));
}

// -- a message lost at a restart ---------------------------------------------------------------------------------------

namespace {

struct order_row {
  int number;
  using reply = void;
};
struct flush {};

/// Collects rows and writes them in batches of three. The row is acknowledged at once, or when it is written.
class writer : public actor<writer, order_row, flush> {
public:
  static constexpr bool exclusive = false;
  writer(bool sound, std::set<int>* written) : sound_{sound}, written_{written} {}
  void on(const order_row& r) {
    if (sound_) {
      written_->insert(r.number);
      return;
    }
    waiting_.insert(r.number);
    if (waiting_.size() == 3)
      on(flush{});
    else
      after("flush", 10ms, flush{});
  }
  void on(const flush&) {
    written_->merge(waiting_);
    waiting_.clear();
  }

private:
  const bool sound_;
  std::set<int>* const written_;
  std::set<int> waiting_;
};

class clerk : public actor<clerk, go> {
public:
  clerk(ref<writer> to, std::set<int>* acknowledged) : to_{std::move(to)}, acknowledged_{acknowledged} {
    self().tell(go{});
  }
  task<> on(const go&) {
    for (int i = 0; i < 8; ++i) {
      auto asked = to_.ask(order_row{i});
      const auto done = co_await asked.outcome();
      if (done)
        acknowledged_->insert(i);
    }
  }

private:
  const ref<writer> to_;
  std::set<int>* const acknowledged_;
};

simulated_program batches(bool sound) {
  return [sound](simulation& sim) {
    std::set<int> written, acknowledged;
    sim.eventually("what was acknowledged is written", [&] {
      return std::includes(written.begin(), written.end(), acknowledged.begin(), acknowledged.end());
    });
    sim.run([&](troupe::system& sys) {
      auto top = sys.supervise("top", patient());
      top.start<clerk>("clerk", top.start<writer>("writer", retrying(), sound, &written), &acknowledged);
    });
  };
}

} // namespace

TEST_CASE("restart defect: a message lost at a restart is found within 50 seeds") {
  finds({.name = "lost-at-restart", .faults = {.crash = 0.1}}, "what was acknowledged is written", 50, batches(false),
        batches(true));
}

// -- a reply to a dead incarnation -------------------------------------------------------------------------------------

namespace {

struct answer {
  std::uint32_t incarnation;
  int question;
  int value;
};
struct question {
  ref_to<answer> from;
  std::uint32_t incarnation;
  int number;
  int value;
};

class doubler : public actor<doubler, question> {
public:
  void on(const question& q) { q.from.tell(answer{q.incarnation, q.number, 2 * q.value}); }
};

/// Asks with numbers of its own, which begin anew with each incarnation; the values differ.
class asker : public actor<asker, go, answer> {
public:
  asker(bool sound, ref<doubler> whom, bool* wrong) : sound_{sound}, whom_{std::move(whom)}, wrong_{wrong} {
    self().tell(go{});
  }
  void on(const go&) {
    ++last_;
    values_[last_] = static_cast<int>(100 * incarnation()) + last_;
    whom_.tell(question{self(), incarnation(), last_, values_[last_]});
    fault_point();
    if (last_ < 3)
      self().tell(go{});
  }
  void on(const answer& a) {
    if (sound_ && a.incarnation != incarnation())
      return;
    const auto asked = values_.find(a.question);
    if (asked != values_.end() && a.value != 2 * asked->second)
      *wrong_ = true;
  }

private:
  const bool sound_;
  const ref<doubler> whom_;
  bool* const wrong_;
  std::map<int, int> values_;
  int last_ = 0;
};

simulated_program answers(bool sound) {
  return [sound](simulation& sim) {
    bool wrong = false;
    sim.invariant("an answer belongs to its question", [&] { return !wrong; });
    sim.run([&](troupe::system& sys) {
      auto top = sys.supervise("top", patient());
      top.start<asker>("asker", retrying(), sound, top.start<doubler>("doubler", retrying()), &wrong);
    });
  };
}

} // namespace

TEST_CASE("restart defect: a reply to a dead incarnation is found within 100 seeds") {
  finds({.name = "dead-incarnation", .faults = {.crash = 0.2, .slow = 0.2}, .faults_max = 20},
        "an answer belongs to its question", 100, answers(false), answers(true));
}

// -- a timer of the old incarnation ------------------------------------------------------------------------------------

namespace {

struct expire {
  std::uint32_t incarnation;
};
struct remind_me {
  ref_to<expire> whom;
  std::uint32_t incarnation;
};
struct ring {
  remind_me about;
};

/// Timers of others, which it keeps when these are restarted.
class alarm_clock : public actor<alarm_clock, remind_me, ring> {
public:
  void on(const remind_me& r) { after(100ms, ring{r}); }
  void on(const ring& r) { r.about.whom.tell(expire{r.about.incarnation}); }
};

struct touch {};

/// Lives for 100 ms after its last restart. It fails on purpose once.
class session : public actor<session, expire, touch> {
public:
  session(bool sound, ref<alarm_clock> alarms, bool* early) : sound_{sound}, early_{early}, began_{now()} {
    alarms.tell(remind_me{self(), incarnation()});
  }
  void on(const expire& e) {
    if (sound_ && e.incarnation != incarnation())
      return;
    if (now() - began_ < 100ms)
      *early_ = true;
    stop();
  }
  void on(const touch&) {}

private:
  const bool sound_;
  bool* const early_;
  const time_point began_;
};

class visitor : public actor<visitor, go> {
public:
  explicit visitor(ref<session> s) : session_{std::move(s)} { every(20ms, go{}); }
  void on(const go&) {
    session_.tell(touch{});
    if (++visits_ == 10)
      stop();
  }

private:
  const ref<session> session_;
  int visits_ = 0;
};

simulated_program sessions(bool sound) {
  return [sound](simulation& sim) {
    bool early = false;
    sim.invariant("no session ends before its time", [&] { return !early; });
    sim.run([&](troupe::system& sys) {
      auto top = sys.supervise("top", patient());
      auto o = retrying();
      o.restart = transient;
      const auto alarms = top.start<alarm_clock>("alarms", retrying());
      top.start<visitor>("visitor", o, top.start<session>("session", o, sound, alarms, &early));
    });
  };
}

} // namespace

TEST_CASE("restart defect: a timer of the old incarnation is found within 50 seeds") {
  finds({.name = "old-timer", .faults = {.crash = 0.1}, .faults_max = 20}, "no session ends before its time", 50,
        sessions(false), sessions(true));
}

// -- the wrong restart order -------------------------------------------------------------------------------------------

namespace {

struct query {
  using reply = int;
};
struct login {
  using reply = int;
};

/// Gives out tickets that are valid as long as it lives.
class ledger_keeper : public actor<ledger_keeper, login, query> {
public:
  explicit ledger_keeper(int* valid) : valid_{valid} { ++*valid_; }
  int on(const login&) const { return *valid_; }
  int on(const query&) const { return *valid_; }

private:
  int* const valid_;
};

/// Logs in when it starts; it has to be restarted when the keeper is.
class teller : public actor<teller, go> {
public:
  teller(ref<ledger_keeper> keeper, bool* stale) : keeper_{std::move(keeper)}, stale_{stale} { every(10ms, go{}); }
  task<> on(const go&) {
    if (++rounds_ > 20) {
      stop();
      co_return;
    }
    auto asked = ticket_ == 0 ? keeper_.ask(login{}).outcome() : keeper_.ask(query{}).outcome();
    const auto valid = co_await asked;
    if (!valid)
      co_return;
    if (ticket_ == 0)
      ticket_ = *valid;
    else if (ticket_ != *valid)
      *stale_ = true;
  }

private:
  const ref<ledger_keeper> keeper_;
  bool* const stale_;
  int ticket_ = 0;
  int rounds_ = 0;
};

simulated_program counters(bool sound) {
  return [sound](simulation& sim) {
    int valid = 0;
    bool stale = false;
    sim.invariant("no ticket is used after its keeper has gone", [&] { return !stale; });
    sim.run([&](troupe::system& sys) {
      auto top = sys.supervise("top", patient(sound ? rest_for_one : one_for_one));
      auto o = retrying(0);
      o.restart = transient;
      top.start<teller>("teller", o, top.start<ledger_keeper>("keeper", o, &valid), &stale);
    });
  };
}

} // namespace

TEST_CASE("restart defect: the wrong restart order is found within 20 seeds") {
  finds({.name = "restart-order", .faults = {.crash = 0.1}, .faults_max = 20},
        "no ticket is used after its keeper has gone", 20, counters(false), counters(true));
}

// -- starvation --------------------------------------------------------------------------------------------------------

namespace {

struct lock_granted {};
struct lock_wanted {
  ref_to<lock_granted> by;
  bool to_write;
};
struct unlock {
  bool written;
};

/// A lock for many readers or one writer. Without turns, readers that keep coming keep writers out.
class rw_lock : public actor<rw_lock, lock_wanted, unlock> {
public:
  explicit rw_lock(bool sound) : sound_{sound} {}
  void on(const lock_wanted& w) {
    if (!w.to_write && !writing_ && !(sound_ && !writers_.empty()))
      return ++readers_, (void)w.by.tell(lock_granted{});
    (w.to_write ? writers_ : waiting_).push_back(w.by);
    grant();
  }
  void on(const unlock& u) {
    u.written ? (void)(writing_ = false) : (void)--readers_;
    grant();
  }

private:
  void grant() {
    if (readers_ == 0 && !writing_ && !writers_.empty()) {
      writing_ = true;
      writers_.front().tell(lock_granted{});
      writers_.erase(writers_.begin());
    } else if (!writing_ && writers_.empty()) {
      readers_ += static_cast<int>(waiting_.size());
      for (const auto& r : std::exchange(waiting_, {}))
        r.tell(lock_granted{});
    }
  }

  const bool sound_;
  int readers_ = 0;
  bool writing_ = false;
  std::vector<ref_to<lock_granted>> writers_, waiting_;
};

struct work_done {};

class lock_user : public actor<lock_user, go, lock_granted, work_done> {
public:
  lock_user(ref<rw_lock> lock, bool writes, std::chrono::milliseconds* longest)
      : lock_{std::move(lock)}, writes_{writes}, longest_{longest} {
    self().tell(go{});
  }
  void on(const go&) {
    wanted_ = now();
    lock_.tell(lock_wanted{self(), writes_});
  }
  void on(const lock_granted&) {
    *longest_ = std::max(*longest_, std::chrono::duration_cast<std::chrono::milliseconds>(now() - wanted_));
    after(10ms, work_done{});
  }
  void on(const work_done&) {
    lock_.tell(unlock{writes_});
    after(std::chrono::milliseconds{1 + random().below(writes_ ? 20 : 4)}, go{});
  }

private:
  const ref<rw_lock> lock_;
  const bool writes_;
  std::chrono::milliseconds* const longest_;
  time_point wanted_{};
};

simulated_program library(bool sound) {
  return [sound](simulation& sim) {
    std::chrono::milliseconds longest{0};
    sim.invariant("nobody waits for more than 200 ms", [&] { return longest <= 200ms; });
    sim.run([&](troupe::system& sys) {
      const auto lock = sys.spawn<rw_lock>(sound);
      for (int i = 0; i < 5; ++i)
        sys.spawn<lock_user>(lock, i == 0, &longest);
    });
  };
}

} // namespace

TEST_CASE("restart defect: starvation is found within 20 seeds") {
  finds({.name = "starvation", .run_for = 5s}, "nobody waits for more than 200 ms", 20, library(false), library(true));
}

// -- an unbounded stash ------------------------------------------------------------------------------------------------

namespace {

struct load_settings {
  using reply = int;
};
struct job {};

class settings : public actor<settings, load_settings> {
public:
  int on(const load_settings&) const { return 1; }
};

/// Stashes jobs until its settings are there.
class shop : public actor<shop, go, job> {
public:
  shop(bool sound, ref<settings> from, std::size_t* stashed)
      : sound_{sound}, from_{std::move(from)}, stashed_{stashed} {
    self().tell(go{});
  }
  task<> on(const go&) {
    (void)co_await from_.ask(load_settings{});
    ready_ = true;
    stash_.clear();
    *stashed_ = 0;
  }
  void on(const job& j) {
    if (!ready_ && (!sound_ || stash_.size() < 8))
      stash_.push_back(j);
    *stashed_ = stash_.size();
  }

private:
  const bool sound_;
  const ref<settings> from_;
  std::size_t* const stashed_;
  bool ready_ = false;
  std::vector<job> stash_;
};

class customer : public actor<customer, go> {
public:
  explicit customer(ref<shop> s) : shop_{std::move(s)} { every(5ms, go{}); }
  void on(const go&) {
    shop_.tell(job{});
    if (++sent_ == 40)
      stop();
  }

private:
  const ref<shop> shop_;
  int sent_ = 0;
};

simulated_program opening(bool sound) {
  return [sound](simulation& sim) {
    std::size_t stashed = 0;
    sim.invariant("the stash holds at most 8 jobs", [&] { return stashed <= 8; });
    sim.run([&](troupe::system& sys) { sys.spawn<customer>(sys.spawn<shop>(sound, sys.spawn<settings>(), &stashed)); });
  };
}

} // namespace

TEST_CASE("restart defect: an unbounded stash is found within 100 seeds") {
  finds({.name = "stash", .faults = {.slow = 0.1, .slow_by = 400ms}, .swarm = false}, "the stash holds at most 8 jobs",
        100, opening(false), opening(true));
}

// -- calendar time -----------------------------------------------------------------------------------------------------

namespace {

struct acquire {
  using reply = bool;
};
struct holders {
  using reply = int;
};

/// Gives out a lease for 10 s. By calendar time it ends early when somebody sets the clock.
class lease_desk : public actor<lease_desk, acquire> {
public:
  lease_desk(bool sound, std::vector<std::pair<time_point, time_point>>* given) : sound_{sound}, given_{given} {}
  bool on(const acquire&) {
    const auto wall = system().through().clock->wall_now();
    if (sound_ ? now() < until_ : wall < until_wall_)
      return false;
    until_ = now() + 10s;
    until_wall_ = wall + 10s;
    given_->push_back({now(), until_});
    return true;
  }

private:
  const bool sound_;
  std::vector<std::pair<time_point, time_point>>* const given_;
  time_point until_{};
  wall_time_point until_wall_{};
};

class contender : public actor<contender, go> {
public:
  explicit contender(ref<lease_desk> d) : desk_{std::move(d)} { every(1s, go{}); }
  task<> on(const go&) { (void)co_await desk_.ask(acquire{}); }

private:
  const ref<lease_desk> desk_;
};

simulated_program leases(bool sound) {
  return [sound](simulation& sim) {
    std::vector<std::pair<time_point, time_point>> given;
    sim.invariant("leases do not overlap",
                  [&] { return given.size() < 2 || given[given.size() - 2].second <= given.back().first; });
    sim.run([&](troupe::system& sys) { sys.spawn<contender>(sys.spawn<lease_desk>(sound, &given)); });
  };
}

} // namespace

TEST_CASE("restart defect: a lease by calendar time is found within 20 seeds") {
  finds({.name = "lease", .faults = {.clock_step = 0.05}, .run_for = 120s}, "leases do not overlap", 20, leases(false),
        leases(true));
}
