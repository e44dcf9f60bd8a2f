// SPDX-License-Identifier: BSD-3-Clause
// Claim: however arming, disarming and becoming due race, a timer fires at most once per arming, and exactly once if
// and only if no disarm returned true.
// Observed: counts per node. How many fire and how many are taken back may vary; the sums may not.
#include <troupe/engine/timer_service.hpp>

#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using troupe::time_point;
using troupe::engine::timer_node;
using troupe::engine::timer_service;

namespace {

struct counted : timer_node {
  counted() {
    fire = [](timer_node& node) noexcept {
      auto& self = static_cast<counted&>(node);
      self.fired.fetch_add(1); // the last touch: who waits for it may destroy the node
    };
  }

  /// Hangs if the timer is lost.
  void wait_for_end(int count) const {
    while (fired.load() + taken.load() < count)
      std::this_thread::yield();
  }

  std::atomic<int> fired{0};
  std::atomic<int> taken{0};
};

/// A deadline from 50 us ago to 200 us ahead.
time_point soon(std::mt19937_64& random, const troupe::clock& clock) {
  return clock.now() + std::chrono::microseconds{random() % 250} - 50us;
}

} // namespace

TEST_CASE("timer stress: each arming ends in one firing or one disarm") {
  const auto seed = support::test_seed();
  CAPTURE(seed);
  const auto clock = troupe::production_clock();
  timer_service timers{*clock, *troupe::production_threads(), 4};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> users;
    for (unsigned u = 0; u < 4; ++u)
      users.emplace_back([&, u] {
        std::mt19937_64 random{seed + u};
        std::vector<counted> nodes(16);
        std::vector<int> armings(nodes.size(), 0);
        for (int step = 0; step < 20'000; ++step) {
          const auto i = random() % nodes.size();
          auto& n = nodes[i];
          if (n.fired.load() + n.taken.load() == armings[i]) { // each has ended: it is not armed now
            timers.arm(n, soon(random, *clock), random() % 2 ? u : static_cast<unsigned>(random() % 8));
            ++armings[i];
            if (random() % 2)
              continue; // let it run while others are worked on
          }
          if (timers.disarm(n))
            n.taken.fetch_add(1);
          if (n.fired.load() + n.taken.load() > armings[i])
            wrong.fetch_add(1);
        }
        for (std::size_t i = 0; i < nodes.size(); ++i) {
          auto& n = nodes[i];
          if (timers.disarm(n))
            n.taken.fetch_add(1);
          n.wait_for_end(armings[i]);
          if (n.fired.load() + n.taken.load() != armings[i])
            wrong.fetch_add(1);
        }
      });
  }
  CHECK(wrong == 0);
  CHECK(timers.size() == 0);
}

TEST_CASE("timer stress: of several threads that disarm one timer at most one gets it") {
  const auto seed = support::test_seed();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  const auto clock = troupe::production_clock();
  timer_service timers{*clock, *troupe::production_threads(), 2};
  constexpr std::size_t rounds = 50;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<counted> nodes(400);
    for (auto& n : nodes)
      timers.arm(n, soon(random, *clock), static_cast<unsigned>(random()));
    {
      std::vector<std::jthread> rivals;
      for (int r = 0; r < 3; ++r)
        rivals.emplace_back([&] {
          for (auto& n : nodes)
            if (timers.disarm(n))
              n.taken.fetch_add(1);
        });
    }
    for (auto& n : nodes) {
      n.wait_for_end(1);
      REQUIRE(n.fired.load() + n.taken.load() == 1);
    }
  }
}

TEST_CASE("timer stress: stopping among armings leaves each timer fired or armed") {
  const auto seed = support::test_seed();
  CAPTURE(seed);
  const auto clock = troupe::production_clock();
  for (std::uint64_t round = 0; round < 50; ++round) {
    std::vector<counted> nodes(600);
    timer_service timers{*clock, *troupe::production_threads(), 3};
    std::atomic<unsigned> armed{0};
    std::vector<std::jthread> users;
    for (unsigned u = 0; u < 3; ++u)
      users.emplace_back([&, u] {
        std::mt19937_64 random{seed + round * 3 + u};
        for (std::size_t i = u; i < nodes.size(); i += 3) {
          timers.arm(nodes[i], soon(random, *clock), u);
          armed.fetch_add(1);
          armed.notify_all();
        }
      });
    for (unsigned seen = 0; seen < 100 + round * 5; seen = armed.load())
      armed.wait(seen);
    timers.stop();
    users.clear(); // joins
    std::size_t left = 0;
    for (auto& n : nodes) {
      const bool taken = timers.disarm(n);
      left += taken;
      REQUIRE(n.fired.load() == (taken ? 0 : 1));
    }
    REQUIRE(left <= nodes.size());
    REQUIRE(timers.size() == 0);
  }
}
