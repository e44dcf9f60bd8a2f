// SPDX-License-Identifier: BSD-3-Clause
// Claim: every beat of a made lead is found at its R peak, once, in time, whatever the unit, rate, hum and wander are; what
// is no beat is not taken for one.
// Observed: beats matched with those that the signal was made of, within 20 ms unless said otherwise.
#include <troupe/analytics/beat_detector.hpp>

#include "electrocardiogram.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <stdexcept>
#include <vector>

using troupe::analytics::beat;
using troupe::analytics::beat_detector;

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::vector<beat> beats_of(const electrocardiogram& lead) {
  beat_detector detector{lead.rate};
  std::vector<beat> found;
  for (const double s : lead.samples)
    for (const auto& b : detector.add(s))
      found.push_back(b);
  for (const auto& b : detector.finish())
    found.push_back(b);
  return found;
}

struct matches {
  std::size_t found = 0;
  std::size_t missed = 0;
  std::size_t false_ones = 0;
};

matches match(const electrocardiogram& lead, const std::vector<beat>& found, double tolerance = 0.02) {
  matches m;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < lead.beats.size() && j < found.size()) {
    const double apart = (static_cast<double>(found[j].sample) - static_cast<double>(lead.beats[i])) / lead.rate;
    if (std::abs(apart) <= tolerance)
      ++m.found, ++i, ++j;
    else if (apart < 0)
      ++m.false_ones, ++j;
    else
      ++m.missed, ++i;
  }
  m.missed += lead.beats.size() - i;
  m.false_ones += found.size() - j;
  return m;
}

void check_all_found(const electrocardiogram& lead) {
  const auto m = match(lead, beats_of(lead));
  CHECK(m.missed == 0);
  CHECK(m.false_ones == 0);
}

} // namespace

TEST_CASE("beat_detector: all beats of a clean lead are found at any rate of sampling") {
  for (const double rate : {80.0, 100.0, 128.0, 250.0, 360.0, 500.0, 1000.0, 4000.0}) {
    CAPTURE(rate);
    check_all_found({rate, 60, 1});
  }
}

TEST_CASE("beat_detector: unit, offset and polarity do not matter") {
  const electrocardiogram lead{360, 120, 2};
  check_all_found(lead.with([](double, double v) { return 200 * v + 1024; }));
  check_all_found(lead.with([](double, double v) { return 1e-6 * v - 3; }));
  check_all_found(lead.with([](double, double v) { return -v; }));
}

TEST_CASE("beat_detector: hum, wander and noise do not matter") {
  const electrocardiogram lead{360, 120, 3};
  const auto wave = [](double t, double hz) { return std::sin(2 * std::numbers::pi * hz * t); };
  std::mt19937 random{4};
  std::normal_distribution<double> noise{0, 0.1};
  check_all_found(lead.with([&](double t, double v) { return v + 0.3 * wave(t, 50); }));
  check_all_found(lead.with([&](double t, double v) { return v + 0.3 * wave(t, 60); }));
  check_all_found(lead.with([&](double t, double v) { return v + 3 * wave(t, 0.3); }));
  check_all_found(lead.with([&](double, double v) { return v + noise(random); }));
}

TEST_CASE("beat_detector: a lead whose amplitude changes is followed") {
  const electrocardiogram lead{360, 240, 5};
  const auto slow =
      lead.with([](double t, double v) { return v * (1 + 0.7 * std::sin(2 * std::numbers::pi * t / 60)); });
  check_all_found(slow);
  const auto sudden = lead.with([](double t, double v) { return t < 80 ? v : t < 160 ? 0.2 * v : 2 * v; });
  CHECK(match(sudden, beats_of(sudden)).missed <= 1);
  CHECK(match(sudden, beats_of(sudden)).false_ones <= 1);
}

TEST_CASE("beat_detector: spikes of a few milliseconds are no beats") {
  const electrocardiogram lead{360, 120, 6};
  check_all_found(lead.with([](double t, double v) { return std::fmod(t + 0.9, 1.7) < 0.005 ? v + 5 : v; }));
}

TEST_CASE("beat_detector: a gap loses its own beats alone and a flat lead has none") {
  const electrocardiogram lead{360, 120, 7};
  const auto outside = [](double t) { return t < 40 || t > 50; };
  for (const double held : {nothing, 0.0, 1.5e308}) {
    CAPTURE(held);
    const auto cut = lead.with([&](double t, double v) { return outside(t) ? v + 0.4 : held; });
    const auto found = beats_of(cut);
    std::size_t wrong = 0;
    std::size_t missing = 0;
    for (const auto& b : found)
      wrong += outside(static_cast<double>(b.sample) / 360) ? 0 : 1;
    for (const auto at : lead.beats) {
      const double t = static_cast<double>(at) / 360;
      if (t > 39.7 && t < 51)
        continue;
      bool seen = false;
      for (const auto& b : found)
        seen = seen || std::abs(static_cast<double>(b.sample) / 360 - t) < 0.02;
      missing += seen ? 0 : 1;
    }
    CHECK(missing == 0);
    CHECK(wrong <= 2); // where the lead falls and where it is taken for a gap
  }
}

TEST_CASE("beat_detector: flat leads and hum have no beats and noise next to none") {
  electrocardiogram lead{360, 300, 8};
  std::mt19937 random{9};
  std::normal_distribution<double> noise{0, 1};
  CHECK(beats_of(lead.with([](double, double) { return 1.0; })).empty());
  CHECK(beats_of(lead.with([](double, double) { return nothing; })).empty());
  CHECK(beats_of(lead.with([&](double, double) { return noise(random); })).size() <= 5);
  CHECK(beats_of(lead.with([&](double t, double) { return std::sin(2 * std::numbers::pi * 50 * t); })).empty());
}

TEST_CASE("beat_detector: beats come in order and within the stated delay") {
  const electrocardiogram lead{360, 240, 10};
  const auto uneven = lead.with([](double t, double v) { return std::fmod(t, 20) < 1 ? 0.3 * v : v; });
  const auto found = beats_of(uneven);
  REQUIRE(found.size() > 200);
  for (std::size_t i = 1; i < found.size(); ++i) {
    REQUIRE(found[i - 1].sample < found[i].sample);
    REQUIRE(found[i - 1].decided <= found[i].decided);
  }
  for (const auto& b : found)
    REQUIRE(static_cast<double>(b.decided - b.sample) / 360 <=
            std::chrono::duration<double>{beat_detector::delay_most}.count());
}

TEST_CASE("beat_detector: what comes later changes no beat that is decided") {
  const electrocardiogram lead{360, 60, 11};
  auto other = lead;
  for (std::size_t i = 30 * 360; i < other.samples.size(); ++i)
    other.samples[i] = 7;
  const auto whole = beats_of(lead);
  const auto cut = beats_of(other);
  for (std::size_t i = 0; i < whole.size() && whole[i].decided < 30 * 360; ++i) {
    REQUIRE(i < cut.size());
    CHECK(cut[i].sample == whole[i].sample);
    CHECK(cut[i].decided == whole[i].decided);
  }
}

TEST_CASE("beat_detector: a rate out of range is refused") {
  for (const double rate : {0.0, -360.0, 79.9, 4001.0, nothing})
    CHECK_THROWS_AS(beat_detector{rate}, std::invalid_argument);
}
