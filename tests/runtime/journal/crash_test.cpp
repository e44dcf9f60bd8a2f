// SPDX-License-Identifier: BSD-3-Clause
// Claim: whatever crashes when, a handler, an actor, or the process in the middle of any write, the effects are those of a
// run without crashes: each command, message and timer takes effect exactly once.
// Observed: per seed, a network of entities under random failures of handlers and writes and random ends of the process, on
// a store that loses what was not durable yet; afterwards the logs of all of them are compared with what was ordered.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/memory_store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <support/stepped_system.hpp>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Writes become durable when the test says so; an end of the process loses the others.
class perilous_store final : public troupe::journal_store, public std::enable_shared_from_this<perilous_store> {
public:
  explicit perilous_store(std::shared_ptr<troupe::journal_store> kept) : kept_{std::move(kept)} {}

  std::shared_ptr<troupe::journal> open(const std::string& key,
                                        std::span<const troupe::journal_type* const> types) override {
    return std::make_shared<stream>(shared_from_this(), dead_ ? nullptr : kept_->open(key, types));
  }
  std::vector<std::string> keys(std::string_view prefix) override { return kept_->keys(prefix); }
  std::vector<troupe::owing_journal> unsettled() override { return kept_->unsettled(); }

  /// The oldest write is kept or not, and its actor is told that it is, or that it failed.
  void end_one(bool kept, bool told) {
    if (waiting_.empty())
      return;
    auto w = std::move(waiting_.front());
    waiting_.pop_front();
    if (kept)
      w.keep();
    w.done(told ? nullptr : std::make_exception_ptr(troupe::journal_error{"failed"}));
  }
  void end_all() {
    while (!waiting_.empty())
      end_one(true, true);
  }
  void be_prompt() {
    end_all();
    prompt_ = true;
  }
  /// The process ends here.
  void die() {
    dead_ = true;
    waiting_.clear();
  }

private:
  struct waiting {
    const void* stream;
    std::function<void()> keep;
    troupe::journal::completion done;
  };

  /// An append that outlasts the call.
  struct copy {
    explicit copy(const troupe::journal_append& a)
        : settled{a.settled.begin(), a.settled.end()}, forgotten{a.forgotten.begin(), a.forgotten.end()} {
      if (a.handled) {
        sender = a.handled->sender;
        sequence = a.handled->sequence;
      }
      for (const auto& e : a.events)
        events.push_back({e.type, e.type->copy(e.value)});
      for (const auto& s : a.sends)
        sends.push_back({s.sequence,
                         std::string{s.target},
                         {s.message.type, s.message.type->copy(s.message.value)},
                         s.due,
                         std::string{s.timer}});
    }
    struct value {
      const troupe::journal_type* type;
      std::shared_ptr<const void> held;
      troupe::journal_record record() const { return {type, held.get()}; }
    };
    struct entry {
      std::uint64_t sequence;
      std::string target;
      value message;
      std::optional<troupe::wall_time_point> due;
      std::string timer;
    };
    void give(troupe::journal& to) const {
      std::vector<troupe::journal_record> es;
      for (const auto& e : events)
        es.push_back(e.record());
      std::vector<troupe::outbound> out;
      for (const auto& s : sends)
        out.push_back({s.sequence, s.target, s.message.record(), s.due, s.timer, {}});
      troupe::journal_append a{};
      if (sequence != 0)
        a.handled = troupe::inbound{sender, sequence};
      a.events = es;
      a.sends = out;
      a.settled = settled;
      a.forgotten = forgotten;
      (void)to.append(a, {});
    }
    std::string sender;
    std::uint64_t sequence = 0;
    std::vector<value> events;
    std::vector<entry> sends;
    std::vector<std::uint64_t> settled;
    std::vector<std::string> forgotten;
  };

  class stream final : public troupe::journal {
  public:
    stream(std::shared_ptr<perilous_store> s, std::shared_ptr<journal> j) : store_{std::move(s)}, kept_{std::move(j)} {}
    status append(const troupe::journal_append& a, const std::function<completion()>& done) override {
      if (store_->prompt_)
        return kept_->append(a, done);
      auto c = std::make_shared<copy>(a);
      auto told = done();
      if (!store_->dead_)
        store_->waiting_.push_back({this, [c, k = kept_] { c->give(*k); }, std::move(told)});
      return status::pending;
    }
    void snapshot(const troupe::journal_record& state) override {
      if (!store_->dead_)
        kept_->snapshot(state);
    }
    void replay(troupe::journal_visitor& v) override {
      if (store_->dead_)
        throw troupe::journal_error{"the process has ended"};
      store_->end_all(); // what this journal has begun, and, for simplicity, the others
      kept_->replay(v);
    }
    void erase() override { kept_->erase(); }

  private:
    std::shared_ptr<perilous_store> store_;
    std::shared_ptr<journal> kept_;
  };

  const std::shared_ptr<troupe::journal_store> kept_;
  std::deque<waiting> waiting_;
  bool dead_ = false;
  bool prompt_ = false;
};

// A command goes to a desk, which sends it to a shelf, which sends it on to another shelf and sets a timer.
struct command {
  int id = 0;
  using reply = bool;
};
struct move {
  int id = 0;
};
struct arrive {
  int id = 0;
};
struct lapse {
  int id = 0;
};
struct log_query {
  using reply = std::vector<std::string>;
};
struct logged {
  std::string what;
};
struct log_state {
  std::vector<std::string> lines;
  bool has(const std::string& line) const { return std::ranges::find(lines, line) != lines.end(); }
};

std::string line(const char* what, int id) { return what + std::to_string(id); }

class shelf : public troupe::journaled_actor<shelf, log_state, troupe::events<logged>, move, arrive, lapse, log_query> {
public:
  static constexpr std::size_t snapshot_every = 7;
  explicit shelf(const std::string& key) : journaled_actor{key} {}

  effect<> on(const move& m) {
    fault_point();
    effect<> fx{logged{line("moved ", m.id)}};
    fx.send(troupe::durable_ref<shelf>{system(), "shelf/" + std::to_string((m.id + 1) % 5)}, arrive{m.id});
    fx.schedule("lapse " + std::to_string(m.id), std::chrono::seconds{m.id % 40}, lapse{m.id});
    return fx;
  }
  /// In steps: skips those that are kept.
  troupe::task<effect<>> on(const arrive& m) {
    if (!state().has(line("unpacked ", m.id))) {
      auto unpacked = persist(logged{line("unpacked ", m.id)});
      co_await unpacked;
    }
    fault_point();
    auto asked = self().ask(log_query{});
    (void)co_await asked.outcome();
    co_return effect<>{logged{line("arrived ", m.id)}};
  }
  effect<> on(const lapse& m) {
    fault_point();
    return {logged{line("lapsed ", m.id)}};
  }
  std::vector<std::string> on(const log_query&) { return state().lines; }
  static void apply(log_state& s, const logged& e) { s.lines.push_back(e.what); }
};

class desk : public troupe::journaled_actor<desk, log_state, troupe::events<logged>, command, log_query> {
public:
  static constexpr std::size_t snapshot_every = 5;
  explicit desk(const std::string& key) : journaled_actor{key} {}

  effect<bool> on(const command& m) {
    if (state().has(line("took ", m.id)))
      return true;
    effect<bool> fx{true, logged{line("took ", m.id)}};
    fx.send(troupe::durable_ref<shelf>{system(), "shelf/" + std::to_string(m.id % 5)}, move{m.id});
    return fx;
  }
  std::vector<std::string> on(const log_query&) { return state().lines; }
  static void apply(log_state& s, const logged& e) { s.lines.push_back(e.what); }
};

/// One life of the process.
struct process {
  process(const std::shared_ptr<troupe::journal_store>& kept, std::uint64_t seed, double failures,
          std::chrono::nanoseconds wall)
      : store{std::make_shared<perilous_store>(kept)} {
    auto o = support::stepped(seed);
    o.journals = store;
    o.shutdown_timeout = 0ms;
    if (failures > 0)
      o.faults = std::make_shared<troupe::fault_injector>(failures, seed);
    auto clock = std::dynamic_pointer_cast<troupe::manual_clock>(o.through.clock);
    clock->shift_wall(wall);
    sys.emplace(o);
    troupe::entity_options e;
    e.idle = 20s;
    e.retries = 2;
    shelves.emplace(sys->root(), "shelf", e);
    desks.emplace(sys->root(), "desk", e);
  }
  ~process() {
    store->die();
    sys->root().stop();
    sys->run_until_idle();
  }

  std::shared_ptr<perilous_store> store;
  std::optional<troupe::system> sys;
  std::optional<troupe::entities<shelf>> shelves;
  std::optional<troupe::entities<desk>> desks;
};

void check_seed(std::uint64_t seed) {
  CAPTURE(seed);
  std::mt19937_64 dice{seed};
  const auto one_in = [&](std::uint64_t n) { return dice() % n == 0; };
  const auto kept = std::make_shared<troupe::memory_store>();
  constexpr int commands = 40;
  std::chrono::nanoseconds wall{0};
  int next = 0;
  for (int life = 0; life < 8; ++life) {
    process p{kept, seed * 100 + static_cast<std::uint64_t>(life), 0.03, wall};
    const auto steps = dice() % 400;
    for (std::uint64_t i = 0; i < steps; ++i) {
      if (one_in(12) && next < commands)
        (void)(*p.desks)[std::to_string(next % 3)].tell(command{next}), ++next;
      if (one_in(3))
        p.store->end_one(true, true);
      if (one_in(60))
        p.store->end_one(one_in(2), false); // a failed write may have been kept or not
      if (one_in(25)) {
        const std::chrono::milliseconds pause{dice() % 8'000};
        p.sys->advance(pause);
        wall += pause;
      }
      (void)p.sys->step();
    }
    wall -= one_in(3) ? 20s : 0s; // the clock was set back
  }
  process last{kept, seed, 0, wall};
  last.store->be_prompt();
  for (int id = 0; id < commands; ++id)
    CHECK((*last.desks)[std::to_string(id % 3)].ask(command{id}).get());
  last.sys->advance(1h);
  std::map<std::string, int> seen;
  for (int i = 0; i < 5; ++i)
    for (const auto& l : (*last.shelves)[std::to_string(i)].ask(log_query{}).get())
      ++seen[l];
  for (int i = 0; i < 3; ++i)
    for (const auto& l : (*last.desks)[std::to_string(i)].ask(log_query{}).get())
      ++seen[l];
  for (int id = 0; id < commands; ++id)
    for (const auto* what : {"took ", "moved ", "unpacked ", "arrived ", "lapsed "}) {
      CAPTURE(line(what, id));
      CHECK(seen[line(what, id)] == 1);
    }
  CHECK(seen.size() == 5 * commands);
  last.sys->advance(1min);
  CHECK(kept->unsettled().empty());
}

} // namespace

TEST_CASE("durable state: effects are those of a run without crashes") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    check_seed(seed);
}
