// SPDX-License-Identifier: BSD-3-Clause
// Claim: the detector raises one alarm for an incident, soon, and none where there is none; it is causal, repeatable and
// free of units.
// Observed: made streams with one incident each, and the same streams cut off or scaled.
#include <troupe/analytics/ensemble_detector.hpp>
#include <troupe/analytics/windowed_gaussian.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using troupe::analytics::anomaly_detector;
using troupe::analytics::ensemble_detector;
using troupe::analytics::observation;
using troupe::analytics::windowed_gaussian;

namespace {

constexpr double alarm = 0.999;

/// Every five minutes a daily wave with noise; `change(i, value)` makes the incident.
template <class Change>
std::vector<observation> stream(std::size_t count, Change change) {
  std::mt19937 random{5};
  std::normal_distribution<double> noise{0, 2};
  std::vector<observation> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double wave = 50 + 20 * std::sin(2 * std::numbers::pi * static_cast<double>(i) / 288);
    values.push_back({std::chrono::sys_seconds{1'600'000'000s + i * 300s}, change(i, wave + noise(random))});
  }
  return values;
}

std::vector<double> scores(anomaly_detector& detector, const std::vector<observation>& values) {
  std::vector<double> result;
  for (const auto& v : values)
    result.push_back(detector.score(v));
  return result;
}

std::vector<double> ensemble_scores(const std::vector<observation>& values) {
  ensemble_detector detector;
  return scores(detector, values);
}

struct alarms {
  std::size_t before = 0;
  std::size_t within = 0;
  std::size_t first = 0;
};

alarms alarms_of(const std::vector<double>& scores, std::size_t begin, std::size_t end) {
  alarms result;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] >= alarm) {
      result.before += i < begin ? 1 : 0;
      if (i >= begin && i < end && result.within++ == 0)
        result.first = i - begin;
    }
  return result;
}

} // namespace

TEST_CASE("ensemble_detector: incidents of several kinds are seen within their first two hours") {
  constexpr std::size_t at = 3'000;
  const auto check = [](const char* kind, auto change) {
    CAPTURE(kind);
    const auto found = alarms_of(ensemble_scores(stream(4'000, change)), at, at + 144);
    CHECK(found.within >= 1);
    CHECK(found.first < 24);
    CHECK(found.within <= 24);
    CHECK(found.before <= 2);
  };
  check("outage", [](std::size_t i, double v) { return i >= at && i < at + 60 ? 0.0 : v; });
  check("level", [](std::size_t i, double v) { return i >= at ? v + 40 : v; });
  check("spike", [](std::size_t i, double v) { return i >= at && i < at + 3 ? v + 60 : v; });
  check("noise", [](std::size_t i, double v) { return i >= at && i < at + 60 ? v + (i % 2 == 0 ? 25 : -25) : v; });
}

TEST_CASE("ensemble_detector: a stream that goes on as ever raises few alarms") {
  const auto quiet = alarms_of(ensemble_scores(stream(8'000, [](std::size_t, double v) { return v; })), 8'000, 8'000);
  CHECK(quiet.before <= 4);
  const auto constant = ensemble_scores(stream(2'000, [](std::size_t, double) { return 42.0; }));
  for (const double s : constant)
    REQUIRE(s < 0.5);
}

TEST_CASE("ensemble_detector: what comes later changes no score") {
  const auto whole = stream(2'500, [](std::size_t i, double v) { return i == 2'000 ? 1e6 : v; });
  const auto all = ensemble_scores(whole);
  const auto part = ensemble_scores({whole.begin(), whole.begin() + 1'500});
  for (std::size_t i = 0; i < part.size(); ++i)
    REQUIRE(part[i] == all[i]);
}

TEST_CASE("ensemble_detector: scale and offset of a stream do not matter") {
  const auto spike = [](std::size_t i, double v) { return i == 1'800 ? v + 50 : v; };
  const auto plain = ensemble_scores(stream(2'500, spike));
  const auto other = ensemble_scores(stream(2'500, [&](std::size_t i, double v) { return 1024 * (spike(i, v) - 17); }));
  for (std::size_t i = 0; i < plain.size(); ++i)
    REQUIRE(other[i] == doctest::Approx(plain[i]).epsilon(1e-3));
}

TEST_CASE("ensemble_detector: scores are in their range for whatever comes and gaps teach nothing") {
  std::mt19937_64 random{6};
  constexpr double big = std::numeric_limits<double>::max() / 1e10;
  constexpr double odd[] = {0,
                            -0.0,
                            1e-300,
                            big,
                            -big,
                            std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()};
  ensemble_detector detector;
  for (int i = 0; i < 3'000; ++i) {
    const double value = random() % 4 == 0 ? odd[random() % std::size(odd)] : static_cast<double>(random() % 1000);
    const auto time = std::chrono::sys_seconds{
        std::chrono::seconds{static_cast<std::int64_t>(random() % 4'000'000'000)} - 2'000'000'000s};
    const double s = detector.score({time, value});
    REQUIRE(s >= 0);
    REQUIRE(s <= 1);
    if (!std::isfinite(value))
      REQUIRE(s == 0);
  }

  const auto values = stream(1'000, [](std::size_t, double v) { return v; });
  ensemble_detector with_gaps;
  std::vector<double> result;
  for (const auto& v : values) {
    result.push_back(with_gaps.score(v));
    (void)with_gaps.score({v.time, std::numeric_limits<double>::quiet_NaN()});
  }
  CHECK(result == ensemble_scores(values));
}

TEST_CASE("anomaly detectors: a value whose square is no number is a gap") {
  const auto calm = stream(3'000, [](std::size_t, double v) { return v; });
  auto wild = calm;
  for (std::size_t i = 50; i < wild.size(); i += 100)
    wild.insert(wild.begin() + static_cast<std::ptrdiff_t>(i), {wild[i].time, i % 200 < 100 ? 1.7e308 : -1.7e308});
  const auto without = [](const std::vector<double>& all, std::size_t first) {
    std::vector<double> kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i >= first && (i - first) % 100 == 0)
        CHECK(all[i] == 0);
      else
        kept.push_back(all[i]);
    }
    return kept;
  };
  CHECK(without(ensemble_scores(wild), 50) == ensemble_scores(calm));
  windowed_gaussian among_wild, among_calm;
  CHECK(without(scores(among_wild, wild), 50) == scores(among_calm, calm));
}

TEST_CASE("windowed_gaussian: scores follow the tail of the window's normal distribution") {
  windowed_gaussian detector;
  const std::chrono::sys_seconds t{};
  CHECK(detector.score({t, 104}) == 0);
  CHECK(detector.score({t, 100}) == doctest::Approx(1));                           // no deviation yet
  CHECK(detector.score({t, 99}) == doctest::Approx(0.933192798731).epsilon(1e-5)); // 1.5 deviations
  CHECK(detector.score({t, std::numeric_limits<double>::quiet_NaN()}) == 0);
}

TEST_CASE("windowed_gaussian: the window forgets by steps of a hundred") {
  windowed_gaussian detector;
  const std::chrono::sys_seconds t{};
  for (std::size_t i = 0; i < windowed_gaussian::window_size; ++i)
    (void)detector.score({t, i % 2 == 0 ? 0.0 : 1.0});
  for (std::size_t i = 0; i < 100; ++i)
    CHECK(detector.score({t, 100}) == doctest::Approx(1)); // the window stands still
  for (std::size_t i = 100; i < windowed_gaussian::window_size; ++i)
    (void)detector.score({t, 100});
  CHECK(detector.score({t, 100}) == doctest::Approx(0.5)); // nothing else is left
}
