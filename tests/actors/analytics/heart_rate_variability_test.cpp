// SPDX-License-Identifier: BSD-3-Clause
// Claim: the measures are those of their definitions over the window, without the intervals that are not normal.
// Observed: small cases computed by hand.
#include <troupe/analytics/heart_rate_variability.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using doctest::Approx;
using troupe::analytics::heart_rate_variability;

namespace {

heart_rate_variability::measures after(std::initializer_list<double> intervals, double window = 300) {
  heart_rate_variability v{window};
  double time = 10;
  v.add(time);
  for (const double i : intervals)
    v.add(time += i);
  return v.read();
}

} // namespace

TEST_CASE("heart_rate_variability: nothing is known without an interval") {
  const auto m = after({});
  CHECK(m.intervals == 0);
  CHECK(m.heart_rate == 0);
  CHECK(m.sdnn == 0);
}

TEST_CASE("heart_rate_variability: measures of a few intervals") {
  const auto m = after({0.8, 0.9, 0.8, 0.84});
  CHECK(m.intervals == 4);
  CHECK(m.heart_rate == Approx(60 / 0.835));
  CHECK(m.sdnn == Approx(std::sqrt((0.035 * 0.035 * 2 + 0.065 * 0.065 + 0.005 * 0.005) / 3)));
  CHECK(m.rmssd == Approx(std::sqrt((0.01 + 0.01 + 0.0016) / 3)));
  CHECK(m.pnn50 == Approx(2.0 / 3));
  CHECK(m.left_out == 0);
}

TEST_CASE("heart_rate_variability: an early beat and its pause are left out") {
  const auto m = after({0.8, 0.8, 0.5, 1.1, 0.8, 0.8, 0.8});
  CHECK(m.intervals == 4); // 0.8 after 1.1 differs by more than a fifth too
  CHECK(m.sdnn == Approx(0).epsilon(1e-9));
  CHECK(m.rmssd == Approx(0).epsilon(1e-9));
  CHECK(m.left_out == Approx(3.0 / 7));
}

TEST_CASE("heart_rate_variability: intervals out of the possible range are left out") {
  CHECK(after({0.2, 0.21}).intervals == 0);
  CHECK(after({2.5, 2.4}).intervals == 0);
}

TEST_CASE("heart_rate_variability: only the window counts") {
  const auto m = after({0.6, 0.6, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8}, 2.5);
  CHECK(m.intervals == 4); // those that end within the last 2.5 s
  CHECK(m.heart_rate == Approx(75));
}
