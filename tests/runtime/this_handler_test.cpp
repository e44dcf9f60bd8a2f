// SPDX-License-Identifier: BSD-3-Clause
// Claims: a handler learns how much time its message has left, across suspensions, and draws from the system's random source.
// Observed on a stepped system whose clock the test moves.
#include <troupe/pause.hpp>
#include <troupe/system.hpp>
#include <troupe/task.hpp>
#include <troupe/this_handler.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct left_now {
  using reply = std::chrono::nanoseconds;
};
struct left_after {
  std::chrono::seconds pause{};
  using reply = std::chrono::nanoseconds;
};
struct note_left {};
struct same_source {
  const troupe::random_source* source = nullptr;
  using reply = bool;
};

class watch_wearer : public troupe::actor<watch_wearer, left_now, left_after, note_left, same_source> {
public:
  explicit watch_wearer(std::vector<std::chrono::nanoseconds>* noted) : noted_{noted} {}

  std::chrono::nanoseconds on(const left_now&) { return troupe::this_handler::time_left(); }
  troupe::task<std::chrono::nanoseconds> on(const left_after& m) {
    co_await troupe::pause(self(), m.pause);
    noted_->push_back(troupe::this_handler::time_left());
    co_return noted_->back();
  }
  void on(const note_left&) { noted_->push_back(troupe::this_handler::time_left()); }
  bool on(const same_source& m) { return &troupe::this_handler::random() == m.source; }

private:
  std::vector<std::chrono::nanoseconds>* const noted_;
};

} // namespace

TEST_CASE("this_handler: the time left is that to the deadline of the message in hand") {
  const auto options = support::stepped();
  troupe::system sys{options};
  std::vector<std::chrono::nanoseconds> noted;
  const auto a = sys.spawn<watch_wearer>(&noted);
  CHECK(a.ask(left_now{}, 3s).get() == 3s);
  CHECK(a.ask(left_after{2s}, 3s).get() == 1s);
  CHECK_FALSE(a.ask(left_after{5s}, 3s).try_get()); // the pause ends at the deadline, and nobody waits any more
  sys.run_until_idle();
  CHECK(noted.back() <= 0s);
}

TEST_CASE("this_handler: a message without a deadline has all the time") {
  troupe::system sys{support::stepped()};
  std::vector<std::chrono::nanoseconds> noted;
  sys.spawn<watch_wearer>(&noted).tell(note_left{});
  sys.run_until_idle();
  REQUIRE(noted.size() == 1);
  CHECK(noted[0] == std::chrono::nanoseconds::max());
}

TEST_CASE("this_handler: the random source is the system's") {
  const auto options = support::stepped();
  troupe::system sys{options};
  std::vector<std::chrono::nanoseconds> noted;
  CHECK(sys.spawn<watch_wearer>(&noted).ask(same_source{options.through.random.get()}).get());
}

TEST_CASE("this_handler: outside of an actor's turn there is no handler") {
  CHECK_THROWS_AS((void)troupe::this_handler::time_left(), troupe::usage_error);
  CHECK_THROWS_AS((void)troupe::this_handler::random(), troupe::usage_error);
}
