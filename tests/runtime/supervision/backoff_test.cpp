// SPDX-License-Identifier: BSD-3-Clause
// Claim: delays follow Akka's formula, clamped to max, and begin anew after a long enough life.
// Observed: the formula written out in a grid of options and random numbers; sequences of failures by hand.
#include <troupe/supervision/backoff.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;
using troupe::backoff;
using troupe::backoff_options;
using time_point = backoff::time_point;

namespace {

constexpr double almost_one = 1.0 - 0x1p-53;

/// min(max, min * factor^n), multiplied out step by step.
double grown(unsigned n, const backoff_options& o) {
  double result = static_cast<double>(o.min.count());
  for (unsigned i = 0; i < n && result < static_cast<double>(o.max.count()); ++i)
    result *= o.factor;
  return result < static_cast<double>(o.max.count()) ? result : static_cast<double>(o.max.count());
}

} // namespace

TEST_CASE("backoff: default delays without jitter double from 100 ms and stay at 30 s") {
  const std::chrono::milliseconds wanted[] = {100ms,   200ms,    400ms,    800ms,    1'600ms, 3'200ms,
                                              6'400ms, 12'800ms, 25'600ms, 30'000ms, 30'000ms};
  unsigned n = 0;
  for (const auto w : wanted) {
    CAPTURE(n);
    CHECK(troupe::delay(n++, {.jitter = 0}, 0.7) == w);
  }
  CHECK(troupe::delay(4'000'000'000u, {}, almost_one) == 30s);
}

TEST_CASE("backoff: every delay is the formula rounded down and never beyond max") {
  for (const std::chrono::nanoseconds min : {1ns, 100'000'000ns, 5'000'000'000ns})
    for (const std::chrono::milliseconds max : {5'000ms, 30'000ms, 86'400'000ms})
      for (const double factor : {1.0, 1.5, 2.0, 100.0})
        for (const double jitter : {0.0, 0.2, 1.0})
          for (const double unit : {0.0, 0.25, 0.5, almost_one})
            for (unsigned n = 0; n < 40; ++n) {
              const backoff_options options{.min = min, .max = max, .factor = factor, .jitter = jitter};
              CAPTURE(n);
              CAPTURE(min.count());
              CAPTURE(max.count());
              CAPTURE(factor);
              CAPTURE(jitter);
              CAPTURE(unit);
              const double exact = grown(n, options) * (1 + unit * jitter);
              const auto got = troupe::delay(n, options, unit);
              REQUIRE(got <= max);
              REQUIRE(got >= min);
              const auto shown = static_cast<double>(got.count());
              REQUIRE(shown <= exact * (1 + 1e-12));
              if (got < max)
                REQUIRE(shown + 1 > exact * (1 - 1e-12));
            }
}

TEST_CASE("backoff: jitter lengthens a delay by at most its fraction") {
  CHECK(troupe::delay(0, {}, 0.0) == 100ms);
  CHECK(troupe::delay(0, {}, 0.5) == 110ms);
  CHECK(troupe::delay(0, {}, 0.99) == 119'800us);
  CHECK(troupe::delay(9, {}, 0.5) == 30s);
}

TEST_CASE("backoff: the first restart does not wait if so set") {
  for (const bool immediate : {true, false}) {
    CAPTURE(immediate);
    const backoff_options options{.jitter = 0, .immediate_first = immediate};
    backoff b;
    b.started(time_point{0s});
    if (immediate)
      CHECK(b.failed(time_point{0s}, options, 0) == 0ms);
    CHECK(b.failed(time_point{0s}, options, 0) == 100ms);
    CHECK(b.failed(time_point{0s}, options, 0) == 200ms);
    CHECK(b.failed(time_point{0s}, options, 0) == 400ms);
    CHECK(b.restarts() == (immediate ? 4 : 3));
  }
}

TEST_CASE("backoff: a life of reset_after makes the next failure the first again") {
  for (const bool given : {false, true}) {
    backoff_options options{.min = 1s, .max = 3s, .jitter = 0}; // by default reset after 2 s
    if (given)
      options.reset_after = 7s;
    const auto life = given ? 7s : 2s;
    CAPTURE(given);
    CHECK(troupe::reset_after(options) == life);
    for (const bool long_enough : {false, true}) {
      CAPTURE(long_enough);
      backoff b;
      b.started(time_point{0s});
      CHECK(b.failed(time_point{1ms}, options, 0) == 0ms);
      b.started(time_point{10s});
      const auto end = time_point{10s} + life - (long_enough ? 0ns : 1ns);
      CHECK(b.failed(end, options, 0) == (long_enough ? 0ms : 1'000ms));
      CHECK(b.restarts() == (long_enough ? 1 : 2));
    }
  }
}

TEST_CASE("backoff: time spent down does not count as life") {
  const backoff_options options{.jitter = 0};
  backoff b;
  b.started(time_point{0s});
  CHECK(b.failed(time_point{1s}, options, 0) == 0ms);
  CHECK(b.failed(time_point{1h}, options, 0) == 100ms); // an attempt that failed before it was started
  CHECK(b.failed(time_point{2h}, options, 0) == 200ms);
  b.started(time_point{3h});
  CHECK(b.failed(time_point{3h + 1s}, options, 0) == 400ms);
}
