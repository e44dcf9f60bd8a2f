// SPDX-License-Identifier: BSD-3-Clause
// Claim: the ring of times decides exactly as OTP's add_restart, which keeps a list of all times.
// Observed: a transcription of add_restart as the model, over all short sequences of gaps and over random long ones.
#include <troupe/supervision/restart_budget.hpp>

#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using troupe::restart_budget;
using time_point = restart_budget::time_point;

namespace {

/// supervisor.erl: add_restart([Now | Restarts], Now, Period), then length =< Intensity.
class model {
public:
  model(unsigned intensity, std::chrono::milliseconds period) : intensity_{intensity}, period_{period} {}

  bool charge(time_point now) {
    times_.insert(times_.begin(), now);
    std::vector<time_point> kept;
    for (const auto t : times_)
      if (t >= now - period_)
        kept.push_back(t);
    times_ = kept;
    return times_.size() > intensity_;
  }
  void clear() { times_.clear(); }

private:
  unsigned intensity_;
  std::chrono::milliseconds period_;
  std::vector<time_point> times_;
};

} // namespace

TEST_CASE("restart_budget: the first restart beyond the intensity is too many") {
  for (const unsigned intensity : {0u, 1u, 2u, 5u, 100u}) {
    CAPTURE(intensity);
    restart_budget budget{intensity, 5s};
    for (unsigned i = 0; i < intensity; ++i)
      CHECK_FALSE(budget.charge(time_point{1s}));
    CHECK(budget.charge(time_point{1s}));
    CHECK(budget.count(time_point{1s}) == intensity + 1);
  }
}

TEST_CASE("restart_budget: a restart exactly one period old still counts and an older one does not") {
  for (const bool older : {false, true}) {
    CAPTURE(older);
    restart_budget budget{1, 5s};
    CHECK_FALSE(budget.charge(time_point{1s}));
    CHECK(budget.charge(time_point{6s} + (older ? 1ns : 0ns)) == !older);
  }
}

TEST_CASE("restart_budget: the sustained rate is the intensity per period") {
  restart_budget budget{5, 30s};
  for (int i = 0; i < 1000; ++i) {
    CAPTURE(i);
    CHECK_FALSE(budget.charge(time_point{i * (6s + 1ms)}));
  }
}

TEST_CASE("restart_budget: unlimited is never exceeded and counts nothing") {
  restart_budget budget{troupe::unlimited, 1ms};
  for (int i = 0; i < 20'000; ++i)
    REQUIRE_FALSE(budget.charge(time_point{1s}));
  CHECK(budget.count(time_point{1s}) == 0);
}

TEST_CASE("restart_budget: clear forgets all restarts") {
  restart_budget budget{1, 5s};
  (void)budget.charge(time_point{1s});
  CHECK(budget.charge(time_point{1s}));
  CHECK(budget.charge(time_point{1s}));
  budget.clear();
  CHECK(budget.count(time_point{1s}) == 0);
  CHECK_FALSE(budget.charge(time_point{1s}));
  CHECK(budget.charge(time_point{1s}));
}

TEST_CASE("restart_budget: all sequences of seven gaps agree with the model") {
  constexpr std::chrono::nanoseconds gaps[] = {0ns, 1ms, 3ms, 3ms + 1ns};
  for (unsigned intensity = 0; intensity <= 3; ++intensity)
    for (unsigned sequence = 0; sequence < 4 * 4 * 4 * 4 * 4 * 4 * 4; ++sequence) {
      restart_budget budget{intensity, 3ms};
      model reference{intensity, 3ms};
      time_point now{};
      for (unsigned rest = sequence, step = 0; step < 7; ++step, rest /= 4) {
        now += gaps[rest % 4];
        const bool wanted = reference.charge(now);
        const bool got = budget.charge(now);
        if (got == wanted)
          continue;
        CAPTURE(intensity);
        CAPTURE(sequence);
        CAPTURE(step);
        REQUIRE(got == wanted);
      }
    }
}

TEST_CASE("restart_budget: random restarts agree with the model") {
  const auto seed = support::test_seed();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 200; ++round) {
    const auto intensity = static_cast<unsigned>(random() % 12);
    const std::chrono::milliseconds period{1 + random() % 50};
    restart_budget budget{intensity, period};
    model reference{intensity, period};
    time_point now{1h};
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::microseconds{random() % 10'000};
      CAPTURE(round);
      CAPTURE(step);
      REQUIRE(budget.charge(now) == reference.charge(now));
      REQUIRE(budget.count(now) <= intensity + 1);
      if (random() % 40 == 0) {
        budget.clear();
        reference.clear();
      }
    }
  }
}
