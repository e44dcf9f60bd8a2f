// SPDX-License-Identifier: BSD-3-Clause
// Claim: an outbox says what is to be sent when: in order for each target, again at growing intervals until it is settled,
// and timers once they are due by the wall clock.
// Observed: the sequences that it gives out at chosen times.
#include <troupe/journal/outbox.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using troupe::owed_entry;
using troupe::time_point;
using troupe::wall_time_point;
using troupe::detail::outbox;

namespace {

constexpr time_point start{};
constexpr wall_time_point wall{std::chrono::hours{500'000}};

owed_entry message(std::uint64_t sequence, const char* target = "a") {
  return {sequence, target, {}, std::nullopt, {}};
}
owed_entry timer(std::uint64_t sequence, const char* name, wall_time_point due) {
  return {sequence, "self", {}, due, name};
}
using sequences = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("outbox: sends again after 5 s, 10 s, 20 s, at most 5 min, until it is settled") {
  outbox o;
  o.add(message(1), start);
  auto now = start;
  CHECK(o.take_due(now, wall) == sequences{1});
  for (const auto pause : {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    CHECK(o.take_due(now + pause - 1ns, wall).empty());
    now += pause;
    CHECK(o.next_attempt() == now);
    CHECK(o.take_due(now, wall) == sequences{1});
  }
  CHECK(o.settle(1, now));
  CHECK_FALSE(o.settle(1, now));
  CHECK(o.empty());
  CHECK_FALSE(o.next_attempt());
}

TEST_CASE("outbox: one whose target has no room comes again soon") {
  outbox o;
  o.add(message(1), start);
  CHECK(o.take_due(start, wall) == sequences{1});
  auto now = start;
  for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
    o.refused(1, now);
    CHECK(o.take_due(now + pause - 1ns, wall).empty());
    now += pause;
    CHECK(o.take_due(now, wall) == sequences{1});
  }
}

TEST_CASE("outbox: names for each the one before it to the same target") {
  outbox o;
  o.add(message(3, "a"), start);
  o.add(message(4, "b"), start);
  o.add(message(5, "a"), start);
  o.add(message(9, "a"), start);
  CHECK(o.take_due(start, wall) == sequences{3, 4, 5, 9});
  CHECK(o.before(3) == 0);
  CHECK(o.before(4) == 0);
  CHECK(o.before(5) == 3);
  CHECK(o.before(9) == 5);
  CHECK(o.settle(5, start));
  CHECK(o.before(9) == 3);
  CHECK(o.settle(3, start));
  CHECK(o.before(9) == 0);
  CHECK(o.before(3) == 0); // settled
  o.add(timer(10, "x", wall), start);
  CHECK(o.before(10) == 0);
}

TEST_CASE("outbox: one that came too early goes when the one before is settled") {
  outbox o;
  for (std::uint64_t s = 1; s <= 3; ++s)
    o.add(message(s), start);
  CHECK(o.take_due(start, wall).size() == 3);
  o.early(2);
  o.early(3);
  CHECK(o.settle(1, start + 1s));
  CHECK(o.take_due(start + 1s, wall) == sequences{2});
  CHECK(o.settle(2, start + 2s));
  CHECK(o.take_due(start + 2s, wall) == sequences{3});
}

TEST_CASE("outbox: one that was not too early keeps its time when the one before is settled") {
  outbox o;
  o.add(message(1), start);
  o.add(message(2), start + 10s);
  CHECK(o.take_due(start, wall) == sequences{1});
  CHECK(o.settle(1, start + 1s));
  CHECK(o.take_due(start + 9s, wall).empty());
  CHECK(o.take_due(start + 10s, wall) == sequences{2});
}

TEST_CASE("outbox: a timer that another of its name has replaced takes only itself away") {
  outbox o;
  o.add(timer(1, "x", wall + 1h), start);
  o.add(timer(2, "x", wall + 2h), start);
  CHECK(o.timer("x") == 2);
  CHECK(o.settle(1, start));
  CHECK(o.timer("x") == 2);
  CHECK(o.next_timer() == wall + 2h);
}

TEST_CASE("outbox: no more than a window of messages to one target is on the way") {
  outbox o;
  const auto count = outbox::window + 10;
  for (std::uint64_t s = 1; s <= count; ++s)
    o.add(message(s), start);
  o.add(message(count + 1, "b"), start);
  CHECK(o.take_due(start, wall).size() == outbox::window + 1);
  for (std::uint64_t s = 1; s <= 10; ++s) {
    CHECK(o.settle(s, start));
    CHECK(o.take_due(start, wall) == sequences{s + outbox::window});
  }
  CHECK(o.settle(11, start));
  CHECK(o.take_due(start, wall).empty());
}

TEST_CASE("outbox: timers go by the wall and are found by name until they fire") {
  outbox o;
  o.add(timer(1, "x", wall + 1h), start);
  o.add(timer(2, "y", wall + 2h), start);
  CHECK(o.timer("x") == 1);
  CHECK(o.timer("z") == 0);
  CHECK(o.next_timer() == wall + 1h);
  CHECK(o.only_timers());
  CHECK(o.take_due(start + 10h, wall + 59min).empty());
  CHECK(o.take_due(start, wall + 1h) == sequences{1});
  CHECK_FALSE(o.only_timers());                        // it is being handled
  CHECK(o.take_due(start, wall).empty());              // the clock was set back
  CHECK(o.take_due(start + 5s, wall) == sequences{1}); // its handler has not said a word
  CHECK(o.settle(1, start));
  CHECK(o.timer("x") == 0);
  CHECK(o.settle(2, start));
  CHECK(o.take_due(start + 24h, wall + 24h).empty());
}

TEST_CASE("outbox: a timer that was due before it was added waits for its first attempt") {
  outbox o;
  o.add(timer(1, "x", wall - 1h), start + 5s, wall);
  o.add(timer(2, "y", wall), start + 5s, wall);
  CHECK(o.take_due(start, wall).empty());
  CHECK(o.take_due(start + 5s, wall) == sequences{1, 2});
}
