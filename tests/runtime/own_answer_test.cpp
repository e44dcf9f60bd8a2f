// SPDX-License-Identifier: BSD-3-Clause
// Claims: a handler can wait for another handler of its own actor and for time, at most to the deadline of its message, and
// neither holds up the actor nor outlives it. Observed on stepped systems.
#include <troupe/own_answer.hpp>
#include <troupe/pause.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::stepped;
using troupe::errc;
using troupe::own_answer;
using troupe::task;

struct take {
  std::chrono::nanoseconds patience;
  using reply = std::string;
};
struct put {
  int n;
};
struct fail {};

/// Who wants one of its numbers waits until somebody brings one.
class shelf : public troupe::actor<shelf, take, put, fail> {
public:
  task<std::string> on(const take& m) {
    own_answer<int> brought{self(), m.patience};
    waiting_.push_back(&brought);
    const auto got = co_await brought.outcome();
    std::erase(waiting_, &brought);
    co_return got ? std::to_string(*got) : std::string{to_string(got.error().code)};
  }
  void on(const put& m) {
    for (auto* w : waiting_)
      w->give(m.n);
  }
  void on(const fail&) { throw std::runtime_error{"fails"}; }

private:
  std::vector<own_answer<int>*> waiting_;
};

struct nap {
  std::chrono::nanoseconds duration;
  using reply = std::chrono::nanoseconds; ///< How long it was.
};
struct poke {
  using reply = int;
};

class sleeper : public troupe::actor<sleeper, nap, poke> {
public:
  task<std::chrono::nanoseconds> on(const nap& m) {
    const auto before = now();
    co_await troupe::pause(self(), m.duration);
    co_return now() - before;
  }
  int on(const poke&) { return 1; }
};

} // namespace

TEST_CASE("own answer: who waits gets what another handler of the actor gives, and the first one counts") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<shelf>();
  auto got = s.ask(take{1s}, 10s);
  sys.run_until_idle();
  CHECK_FALSE(got.ready());
  s.tell(put{7});
  s.tell(put{8});
  sys.run_until_idle();
  CHECK(std::move(got).get() == "7");
  s.tell(put{9}); // nobody waits
  sys.run_until_idle();
  CHECK(sys.shutdown(1h).complete);
  CHECK(sys.books().balanced());
}

TEST_CASE("own answer: nothing in time is errc timed_out, at the message's deadline if that is earlier") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<shelf>();
  auto patient = s.ask(take{1s}, 10s);
  sys.advance(1s - 1ns);
  CHECK_FALSE(patient.ready());
  sys.advance(1ns);
  CHECK(std::move(patient).get() == "timed_out");

  auto late = s.ask(take{1h}, 100ms);
  sys.advance(100ms);
  const auto r = std::move(late).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == errc::timed_out);
  sys.advance(1s);
  CHECK(s.books().handled == 2); // its handler has come to its end
  CHECK(sys.shutdown(1h).complete);
}

TEST_CASE("own answer: a restart ends those that wait, and their askers hear of it") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<shelf>();
  auto waiting = s.ask(take{1h}, 2h);
  sys.run_until_idle();
  s.tell(fail{});
  sys.run_until_idle();
  const auto r = std::move(waiting).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == errc::restarted);
  s.tell(put{1}); // to the new incarnation, in which nobody waits
  sys.advance(2h);
  CHECK(s.incarnation() == 1);
  CHECK(sys.shutdown(1h).complete);
  CHECK(sys.books().balanced());
}

TEST_CASE("pause: lasts as long as it says, and the actor handles other messages meanwhile") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<sleeper>();
  auto slept = s.ask(nap{250ms}, 10s);
  sys.advance(249ms);
  CHECK_FALSE(slept.ready());
  CHECK(s.ask(poke{}).get() == 1);
  sys.advance(1ms);
  CHECK(std::move(slept).get() == 250ms);
}

TEST_CASE("pause: ends at the deadline of the message in hand") {
  troupe::system sys{stepped()};
  auto s = sys.spawn<sleeper>();
  auto slept = s.ask(nap{1h}, 100ms);
  sys.advance(100ms);
  CHECK_FALSE(std::move(slept).try_get());
  CHECK(s.books().handled == 1);
}
