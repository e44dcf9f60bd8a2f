// SPDX-License-Identifier: BSD-3-Clause
// Shows: a test in simulated time. An hour passes in no time, timers fire in order, and the same seed gives the same run.
//
// Run:   build/release/bin/06_simulated_time (status 1 if an expectation fails)
//
// Output:
//   after 59 min: 0 reminders
//   after 60 min: 1 reminder
//   payment at 60 min: 0 more reminders in a day
//   a request that nobody answers in time: timed_out after 5 s

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace std::chrono_literals;

// [snippet actor]
struct remind {};
struct pay {};
struct reminders {
  using reply = int;
};

class invoice : public troupe::actor<invoice, remind, pay, reminders> {
public:
  invoice() { every("reminder", 1h, remind{}); }
  void on(const remind&) { ++sent_; }
  void on(const pay&) { cancel_timer("reminder"); }
  int on(const reminders&) const { return sent_; }

private:
  int sent_ = 0;
};
// [end]

struct question {
  using reply = int;
};

class sleeper : public troupe::actor<sleeper, question> {
public:
  static constexpr bool exclusive = true;
  troupe::task<int> on(const question& q) { // asks itself while it handles nothing else: waits for ever
    co_return co_await self().ask(q, 1h);
  }
};

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "failed: %s\n", what);
    std::exit(1);
  }
}

// [snippet test]
int main() {
  auto clock = std::make_shared<troupe::manual_clock>();
  troupe::system sys{{.through = {.clock = clock, .random = troupe::seeded_random(7)}, .stepped = 7}};
  auto i = sys.spawn<invoice>();

  sys.advance(59min);
  expect(i.ask(reminders{}).get() == 0, "no reminder before an hour has passed");
  std::printf("after 59 min: 0 reminders\n");

  sys.advance(1min);
  expect(i.ask(reminders{}).get() == 1, "one reminder after an hour");
  std::printf("after 60 min: 1 reminder\n");

  i.tell(pay{});
  sys.advance(24h);
  expect(i.ask(reminders{}).get() == 1, "no reminder after the payment");
  std::printf("payment at 60 min: 0 more reminders in a day\n");
  // [end]

  // [snippet deadline]
  auto s = sys.spawn<sleeper>();
  const auto asked_at = sys.now();
  const auto answer = s.ask(question{}, 5s).try_get(); // runs the system, and time, until the reply is there
  expect(!answer && answer.error().code == troupe::errc::timed_out, "the request times out");
  expect(sys.now() - asked_at == 5s, "at its deadline");
  std::printf("a request that nobody answers in time: timed_out after 5 s\n");
  // [end]
  return sys.shutdown().exit_code();
}
