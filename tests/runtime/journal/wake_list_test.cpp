// SPDX-License-Identifier: BSD-3-Clause
// Claim: who owes something and is not in memory has one entry, and is named again and again until it is loaded.
// Observed: the decisions of `wake_list`.
#include <troupe/journal/wake_list.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using troupe::detail::wake_list;
using names = std::vector<std::string>;

namespace {

constexpr troupe::time_point steady{100h};
constexpr troupe::wall_time_point wall{500'000h};

} // namespace

TEST_CASE("wake list: one entry for each key, and the earliest time counts") {
  wake_list w;
  for (int i = 0; i < 100; ++i) {
    w.wake_at("a", wall + 3h - 1min * (i % 10));
    w.look_at("b", steady + 3h - 1min * (i % 10));
  }
  CHECK(w.size() == 2);
  CHECK(w.next(steady, wall) == 3h - 9min);
  CHECK(w.take_due(steady, wall + 3h - 10min, 9) == names{});
  CHECK(w.take_due(steady, wall + 3h - 9min, 9) == names{"a"});
  CHECK(w.take_due(steady + 3h - 9min, wall, 9) == names{"a", "b"});
  CHECK(w.size() == 2);
}

TEST_CASE("wake list: what is named comes again after pauses that double, until it is erased") {
  wake_list w;
  w.wake_at("a", wall);
  auto now = steady;
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    CHECK(w.next(now, wall) == 0ns);
    CHECK(w.take_due(now, wall, 9) == names{"a"});
    CHECK(w.take_due(now, wall, 9) == names{});
    CHECK(w.next(now, wall) == pause);
    now += pause;
  }
  w.erase("a");
  w.erase("a");
  CHECK(w.size() == 0);
  CHECK_FALSE(w.next(now, wall));
  w.look_at("a", now);
  CHECK(w.take_due(now, wall, 9) == names{"a"});
  CHECK(w.next(now, wall) == 1s); // it begins anew
}

TEST_CASE("wake list: a look that is wanted sooner than the pause is taken sooner") {
  wake_list w;
  w.look_at("a", steady);
  for (int i = 0; i < 3; ++i)
    CHECK(w.take_due(steady, wall, 9).size() == (i == 0 ? 1 : 0));
  w.look_at("a", steady + 1ms);
  CHECK(w.next(steady, wall) == 1ms);
  w.look_at("a", steady + 1h);
  CHECK(w.next(steady, wall) == 1ms);
}

TEST_CASE("wake list: timers go by the wall, which may be set, and looks do not") {
  wake_list w;
  w.wake_at("timer", wall + 1h);
  w.look_at("look", steady + 1min);
  CHECK(w.take_due(steady + 1min, wall - 24h, 9) == names{"look"});
  CHECK(w.take_due(steady + 1min, wall + 1h, 9) == names{"timer"});
}

TEST_CASE("wake list: one that is due by both clocks is named once, and no more at a time than are wanted") {
  wake_list w;
  w.wake_at("a", wall);
  w.look_at("a", steady);
  w.wake_at("b", wall);
  w.look_at("c", steady);
  CHECK(w.take_due(steady, wall, 2) == names{"a", "b"});
  CHECK(w.take_due(steady, wall, 2) == names{"c"});
  CHECK(w.take_due(steady, wall, 2) == names{});
}
