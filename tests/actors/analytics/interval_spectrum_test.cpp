// SPDX-License-Identifier: BSD-3-Clause
// Claim: the powers are those of the oscillations in the intervals, each in its band, also where intervals are missing.
// Observed: oscillations of known amplitude, and a periodogram by least squares.
#include <troupe/analytics/heart_rate_variability.hpp>
#include <troupe/analytics/interval_spectrum.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

using doctest::Approx;
using troupe::analytics::beat_interval;
using troupe::analytics::spectrum_of;

namespace {

/// Intervals around 0.8 s over 5 minutes, with an oscillation of `low` s at 0.1 Hz and one of `high` s at 0.25 Hz.
std::vector<beat_interval> oscillating(double low, double high) {
  std::vector<beat_interval> all;
  for (double time = 0; time < 300;) {
    const double phase = 2 * std::numbers::pi * time;
    const double length = 0.8 + low * std::sin(0.1 * phase) + high * std::sin(0.25 * phase);
    time += length;
    all.push_back({time, length});
  }
  return all;
}

} // namespace

TEST_CASE("interval_spectrum: an oscillation has half its squared amplitude of power in its band") {
  const auto both = spectrum_of(oscillating(0.03, 0.02));
  CHECK(both.low == Approx(0.03 * 0.03 / 2).epsilon(0.04));
  CHECK(both.high == Approx(0.02 * 0.02 / 2).epsilon(0.04));
  CHECK(both.very_low < 0.03 * both.low);
  CHECK(both.low_to_high() == Approx(2.25).epsilon(0.06));
  const auto slow = spectrum_of(oscillating(0.03, 0));
  CHECK(slow.high < 0.03 * slow.low);
  const auto fast = spectrum_of(oscillating(0, 0.03));
  CHECK(fast.low < 0.03 * fast.high);
}

TEST_CASE("interval_spectrum: intervals that are missing take little of the power away") {
  auto all = oscillating(0.03, 0.02);
  std::mt19937 random{3};
  std::erase_if(all, [&](const auto&) { return random() % 5 == 0; });
  const auto bands = spectrum_of(all);
  CHECK(bands.low == Approx(0.03 * 0.03 / 2).epsilon(0.15));
  CHECK(bands.high == Approx(0.02 * 0.02 / 2).epsilon(0.15));
}

TEST_CASE("interval_spectrum: white noise has its variance, spread evenly over the frequencies that beats can show") {
  std::mt19937 random{5};
  std::normal_distribution<double> noise{0, 0.02};
  double low = 0;
  double high = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<beat_interval> all;
    for (double time = 0; time < 300;) {
      const double length = 0.8 + noise(random);
      all.push_back({time += 0.8, length}); // evenly spaced: frequencies up to 0.625 Hz
    }
    low += spectrum_of(all).low / 20;
    high += spectrum_of(all).high / 20;
  }
  CHECK(low == Approx(0.0004 * 0.11 / 0.625).epsilon(0.1));
  CHECK(high == Approx(0.0004 * 0.25 / 0.625).epsilon(0.1));
}

TEST_CASE("interval_spectrum: too few intervals, and intervals that do not vary, have no power") {
  CHECK(spectrum_of({}).span == 0);
  CHECK(spectrum_of(std::vector<beat_interval>{{1, 0.8}, {2, 0.9}, {3, 0.8}}).low == 0);
  const auto even = spectrum_of(oscillating(0, 0));
  CHECK(even.low == Approx(0).epsilon(1e-12));
  CHECK(even.low_to_high() == 0);
}

TEST_CASE("interval_spectrum: a heart that is paced evenly has no power, and rounding no ratio") {
  for (const double length : {0.7, 0.8, 0.9}) {
    troupe::analytics::heart_rate_variability paced;
    for (int i = 0; i < 400; ++i)
      paced.add(i * length);
    const auto b = paced.spectrum();
    CHECK(b.span > 200);
    CHECK(b.very_low + b.low + b.high == 0);
    CHECK(b.low_to_high() == 0);
  }
}

TEST_CASE("heart_rate_variability: the spectrum is that of the normal intervals") {
  troupe::analytics::heart_rate_variability v;
  v.add(0);
  std::vector<beat_interval> normal;
  for (const auto& i : oscillating(0.03, 0.02)) {
    v.add(i.end);
    normal.push_back(i);
  }
  // All of them are, and those of the last 300 s are kept.
  std::erase_if(normal, [&](const auto& i) { return i.end <= normal.back().end - 300; });
  CHECK(v.spectrum().low == Approx(spectrum_of(normal).low).epsilon(1e-9)); // the times were added up
  const auto before = v.spectrum().low;
  v.add(normal.back().end + 0.4); // an early beat is left out
  CHECK(v.spectrum().low == Approx(before).epsilon(0.01));
}
