// SPDX-License-Identifier: BSD-3-Clause
// Claim: an agenda calls each reminder once, in the order of time, when its time has come and not before.
// Observed: random reminders at near and far times, some added while others are called, compared with a multiset.
#include <troupe/pipeline/agenda.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>

using troupe::pipeline::agenda;
using troupe::pipeline::end_of_time;
using troupe::pipeline::event_duration;
using troupe::pipeline::event_time;
using troupe::pipeline::start_of_time;

namespace {

event_time at(std::int64_t us) { return event_time{event_duration{us}}; }

/// Of any length, the short ones as likely as the long ones.
std::int64_t some_delay(std::mt19937_64& random) { return static_cast<std::int64_t>(random() >> (24 + random() % 40)); }

} // namespace

TEST_CASE("agenda: reminders come when they are due, in the order of time, also those that are added meanwhile") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    agenda<std::string> all;
    std::multiset<std::pair<event_time, std::string>> model;
    auto now = seed % 2 == 0 ? at(-1'000'000) : at(1'700'000'000'000'000);
    const auto remind = [&](event_time t) {
      const auto key = std::to_string(random() % 50);
      all.remind(t, key);
      model.emplace(t, key);
    };
    for (int i = 0; i < 300; ++i) {
      for (auto n = random() % 8; n > 0; --n)
        remind(now + event_duration{some_delay(random)} - event_duration{static_cast<std::int64_t>(random() % 3)});
      CHECK(all.size() == model.size());
      now += event_duration{some_delay(random) / 4};
      auto last = start_of_time;
      all.due(now, [&](event_time t, const std::string& key) {
        CHECK(t <= now);
        CHECK(t >= last);
        last = t;
        const auto found = model.find({t, key});
        REQUIRE(found != model.end());
        model.erase(found);
        if (random() % 4 == 0)
          remind(t + event_duration{some_delay(random)});
      });
      CHECK((model.empty() || model.begin()->first > now));
    }
    all.due(end_of_time, [&](event_time t, const std::string& key) { model.erase(model.find({t, key})); });
    CHECK(model.empty());
    CHECK(all.size() == 0);
  }
}

TEST_CASE("agenda: what is not wanted any more is not called, and may be put off") {
  agenda<int> all;
  for (int i = 1; i <= 100; ++i)
    all.remind(at(i), i);
  std::multiset<int> called;
  const auto put_off = [&](event_time t, int key) {
    if (key % 2 == 0)
      all.remind(t + event_duration{1'000}, key + 1);
    return key % 2 != 0;
  };
  all.due(at(50), put_off, [&](event_time, int key) { called.insert(key); });
  CHECK(called.size() == 25);
  CHECK(all.size() == 75);
  all.due(at(1'050), [&](event_time, int key) { called.insert(key); });
  CHECK(called.size() == 100);
  CHECK(called.count(51) == 2);
  CHECK(all.size() == 0);
}

TEST_CASE("agenda: begins anew after clearing, at an earlier time as well") {
  agenda<int> all;
  all.remind(at(5), 1);
  all.due(at(1'000'000), [](event_time, int) {});
  all.remind(at(2'000'000), 2);
  all.clear();
  CHECK(all.size() == 0);
  int called = 0;
  all.remind(at(7), 3);
  all.due(at(6), [&](event_time, int) { ++called; });
  CHECK(called == 0);
  all.due(at(7), [&](event_time, int key) { called += key; });
  CHECK(called == 3);
}
