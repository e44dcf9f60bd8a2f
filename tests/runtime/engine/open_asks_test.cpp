// SPDX-License-Identifier: BSD-3-Clause
// Claims: an actor's open asks end at their deadlines with one timer between them, and keep the actor's cell exactly as
// long as a reply may still come.
// Observed on stepped systems: through the service's timers, the clock, and what ends together with the cell.
#include <troupe/engine/system_core.hpp>
#include <troupe/reply.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;
using troupe::errc;
using troupe::task;

namespace {

struct question {
  using reply = int;
};
struct faint {};

/// Once it has fainted, it does not answer for a minute: questions wait in its mailbox.
class oracle : public troupe::actor<oracle, question, faint> {
public:
  int on(const question&) { return 42; }
  void on(const faint&) { throw std::runtime_error{"vapours"}; }
};

/// Passes questions on, and answers a moment after its own deadline, which is that of the question.
class priest : public troupe::actor<priest, question> {
public:
  explicit priest(troupe::ref<oracle> whom) : whom_{std::move(whom)} {}
  task<int> on(const question&) {
    auto r = whom_.ask(question{}, 1h);
    (void)co_await r.outcome();
    auto again = whom_.ask(question{}, 1h);
    (void)co_await again.outcome();
    co_return 1;
  }

private:
  troupe::ref<oracle> whom_;
};

struct ending {
  std::chrono::nanoseconds when;
  errc why;
};

struct consult {
  std::vector<std::chrono::nanoseconds> timeouts; // of as many questions, all asked at once
};
struct shrug {}; // ask, and do not care
struct answered {
  using reply = int;
};

/// Notes when each of its questions ended, if it got no answer.
template <class Whom>
class client : public troupe::actor<client<Whom>, consult, shrug, answered> {
public:
  client(troupe::ref<Whom> whom, std::vector<ending>* notes, std::shared_ptr<int> life)
      : whom_{std::move(whom)}, notes_{notes}, life_{std::move(life)} {}

  task<> on(const consult& c) {
    for (auto t : c.timeouts)
      open_.push_back(whom_.ask(question{}, t));
    const auto begun = this->now();
    while (!open_.empty()) {
      auto r = std::move(open_.back());
      open_.pop_back();
      const auto got = co_await r.outcome();
      if (got)
        ++answers_;
      else
        notes_->push_back({this->now() - begun, got.error().code});
    }
  }
  void on(const shrug&) { (void)whom_.ask(question{}, 1h); }
  int on(const answered&) { return answers_; }

private:
  troupe::ref<Whom> whom_;
  std::vector<ending>* notes_;
  std::shared_ptr<int> life_;
  std::vector<troupe::reply<int>> open_;
  int answers_ = 0;
};

struct delphi {
  troupe::system sys{stepped()};
  troupe::ref<oracle> whom = [this] {
    troupe::child_options o;
    o.backoff = troupe::backoff_options{.min = 60s, .max = 60s, .jitter = 0.0, .immediate_first = false};
    return sys.root().start<oracle>("oracle", o);
  }();
  std::vector<ending> notes;
  std::shared_ptr<int> life = std::make_shared<int>(0);
  troupe::ref<client<oracle>> asker = sys.spawn<client<oracle>>(whom, &notes, life);

  std::size_t timers() { return sys.core().timers->size(); }
  void let_faint() {
    whom.tell(faint{});
    sys.run_until_idle();
  }
};

} // namespace

TEST_CASE("open_asks: answered asks leave one timer, and none once it has gone off") {
  delphi d;
  for (int i = 0; i < 100; ++i) {
    d.asker.tell(consult{{5s, 7s}});
    d.sys.run_until_idle();
  }
  CHECK(d.timers() == 1);
  d.sys.advance(5s);
  CHECK(d.timers() == 0);
  CHECK(d.notes.empty());
  CHECK(d.asker.ask(answered{}).get() == 200);
}

TEST_CASE("open_asks: each ends at its own deadline whatever the order of the asks") {
  delphi d;
  d.let_faint();
  const auto others = d.timers(); // the restart
  d.asker.tell(consult{{30ms}});
  d.asker.tell(consult{{10ms}});
  d.asker.tell(consult{{20ms}});
  d.asker.tell(consult{{10ms}});
  d.sys.run_until_idle();
  CHECK(d.timers() == others + 1);
  d.sys.advance(9ms);
  CHECK(d.notes.empty());
  d.sys.advance(51ms);
  REQUIRE(d.notes.size() == 4);
  const std::chrono::nanoseconds expected[]{10ms, 10ms, 20ms, 30ms};
  for (int i = 0; i < 4; ++i) {
    CHECK(d.notes[i].when == expected[i]);
    CHECK(d.notes[i].why == errc::timed_out);
  }
  CHECK(d.timers() == others);
}

TEST_CASE("open_asks: one that has timed out before it is awaited does not suspend and is timed_out") {
  delphi d;
  d.let_faint();
  d.asker.tell(consult{{10ms, 20ms, 30ms}}); // the last one is awaited first
  d.sys.advance(1s);
  REQUIRE(d.notes.size() == 3);
  for (const auto& n : d.notes) {
    CHECK(n.when == 30ms);
    CHECK(n.why == errc::timed_out);
  }
}

TEST_CASE("open_asks: a reply that comes after the deadline is dropped and frees what it kept") {
  delphi d;
  d.let_faint();
  auto between = d.sys.spawn<priest>(d.whom);
  {
    auto asker = d.sys.spawn<client<priest>>(between, &d.notes, d.life);
    asker.tell(consult{{10ms}});
    asker.tell(shrug{});
    d.sys.advance(1s);
    REQUIRE(d.notes.size() == 1);
    CHECK(d.notes[0].why == errc::timed_out);
    CHECK(asker.ask(answered{}).get() == 0);
    CHECK(between.books().handled == 1); // it did answer the first one
    asker.stop();
    d.sys.run_until_idle();
  }
  CHECK(d.life.use_count() == 3); // this one, and the other client's two: the object and its arguments
  d.sys.advance(1h);              // the second one is answered too, and nobody is there
  CHECK(between.books().handled == 2);
}

TEST_CASE("open_asks: an actor that stops is kept by nothing but the requests on their way") {
  delphi d;
  d.let_faint();
  d.asker.tell(consult{{1h, 2h}});
  d.asker.tell(shrug{});
  d.sys.run_until_idle();
  d.asker.stop();
  d.sys.run_until_idle();
  CHECK(d.asker.has_stopped());
  CHECK(d.life.use_count() == 1); // the object is gone, and its arguments
  d.asker = {};
  d.sys.advance(60s); // the oracle comes round and answers all three
  CHECK(d.whom.ask(question{}).get() == 42);
  CHECK(d.whom.books().handled == 4);
}
