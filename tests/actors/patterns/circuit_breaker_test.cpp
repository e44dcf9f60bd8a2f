// SPDX-License-Identifier: BSD-3-Clause
// Claim: the breaker goes through its states as Akka's does, ignores results of calls from before a change, and lets
// through no more than one trial; the budget bounds retries.
// Observed: written-out histories, and random ones against the laws that must hold at every step.
#include <troupe/patterns/circuit_breaker.hpp>
#include <troupe/patterns/retry_budget.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using troupe::circuit_breaker;
using troupe::retry_budget;
using time_point = circuit_breaker::time_point;
using state = circuit_breaker::state;

namespace {

constexpr time_point start{1h};

void fail_times(circuit_breaker& breaker, int times, time_point at) {
  for (int i = 0; i < times; ++i)
    breaker.failed(breaker.try_call(at).ticket, at);
}

} // namespace

TEST_CASE("circuit_breaker: failures in a row open it and a success starts the count anew") {
  circuit_breaker breaker;
  fail_times(breaker, 9, start);
  breaker.succeeded(breaker.try_call(start).ticket);
  fail_times(breaker, 9, start);
  CHECK(breaker.now_in() == state::closed);
  fail_times(breaker, 1, start);
  CHECK(breaker.now_in() == state::open);
  const auto refused = breaker.try_call(start + 1s);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.wait == 14s);
}

TEST_CASE("circuit_breaker: after the reset exactly one call goes through and its success closes") {
  circuit_breaker breaker;
  fail_times(breaker, 10, start);
  CHECK_FALSE(breaker.try_call(start + 15s - 1ns).allowed);
  const auto trial = breaker.try_call(start + 15s);
  CHECK(trial.allowed);
  CHECK(breaker.now_in() == state::half_open);
  CHECK_FALSE(breaker.try_call(start + 1h).allowed);
  breaker.succeeded(trial.ticket);
  CHECK(breaker.now_in() == state::closed);
  CHECK(breaker.try_call(start + 1h).allowed);
}

TEST_CASE("circuit_breaker: a trial that fails opens it for longer up to the limit and success resets that") {
  circuit_breaker breaker{{.failures_most = 1, .reset = 1s, .factor = 2, .reset_most = 5s}};
  time_point now = start;
  fail_times(breaker, 1, now);
  for (const auto wait : {1s, 2s, 4s, 5s, 5s}) {
    CAPTURE(wait.count());
    CHECK(breaker.try_call(now).wait == wait);
    now += wait;
    const auto trial = breaker.try_call(now);
    REQUIRE(trial.allowed);
    breaker.failed(trial.ticket, now);
  }
  now += 5s;
  breaker.succeeded(breaker.try_call(now).ticket);
  fail_times(breaker, 1, now);
  CHECK(breaker.try_call(now).wait == 1s);
}

TEST_CASE("circuit_breaker: a reset without an end keeps it open") {
  circuit_breaker breaker{
      {.failures_most = 1, .reset = std::chrono::milliseconds::max(), .reset_most = std::chrono::milliseconds::max()}};
  fail_times(breaker, 1, start);
  for (const auto later : {0h, 1h, 24h * 3'650}) {
    const auto refused = breaker.try_call(start + later);
    CHECK_FALSE(refused.allowed);
    CHECK(refused.wait > 24h);
  }
}

TEST_CASE("circuit_breaker: a result of a call from before the last change is ignored") {
  circuit_breaker breaker{{.failures_most = 1, .reset = 1s}};
  const auto slow = breaker.try_call(start);
  const auto other = breaker.try_call(start);
  breaker.failed(other.ticket, start);
  breaker.succeeded(slow.ticket);
  CHECK(breaker.now_in() == state::open);
  const auto trial = breaker.try_call(start + 1s);
  breaker.succeeded(slow.ticket);
  breaker.failed(slow.ticket, start + 1s);
  CHECK(breaker.now_in() == state::half_open);
  breaker.failed(trial.ticket, start + 1s);
  breaker.succeeded(trial.ticket); // reported twice
  CHECK(breaker.now_in() == state::open);
}

TEST_CASE("circuit_breaker: random calls keep the laws") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 50; ++round) {
    circuit_breaker breaker{{.failures_most = 3, .reset = 100ms, .factor = 1.5, .reset_most = 300ms}};
    std::vector<std::uint64_t> calls;
    time_point now = start;
    std::size_t trials = 0; // under way
    for (int step = 0; step < 300; ++step) {
      now += std::chrono::milliseconds{random() % 40};
      const auto before = breaker.now_in();
      if (random() % 2 == 0 || calls.empty()) {
        const auto p = breaker.try_call(now);
        if (p.allowed) {
          calls.push_back(p.ticket);
          trials += breaker.now_in() == state::half_open ? 1 : 0;
        } else {
          REQUIRE(before != state::closed);
          REQUIRE(p.wait <= 300ms);
        }
        REQUIRE(trials <= 1);
        continue;
      }
      const auto which = calls.begin() + static_cast<std::ptrdiff_t>(random() % calls.size());
      if (random() % 3 == 0)
        breaker.succeeded(*which);
      else
        breaker.failed(*which, now);
      calls.erase(which);
      if (breaker.now_in() != state::half_open)
        trials = 0;
    }
  }
}

TEST_CASE("retry_budget: retries are at most the reserve and a share of the requests") {
  retry_budget budget{0.2, 10};
  int retries = 0;
  for (int i = 0; i < 1'000; ++i) {
    budget.request();
    while (budget.try_retry())
      ++retries;
  }
  CHECK(retries == 10 + 1'000 / 5 - 1); // what the first request pays in finds the reserve full
}

TEST_CASE("retry_budget: nothing is saved up beyond the reserve") {
  retry_budget budget{0.5, 3};
  for (int i = 0; i < 1'000; ++i)
    budget.request();
  int retries = 0;
  while (budget.try_retry())
    ++retries;
  CHECK(retries == 3);
  CHECK_FALSE(retry_budget{1, 0}.try_retry());
}
