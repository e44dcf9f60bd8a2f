// SPDX-License-Identifier: BSD-3-Clause
// Claim: the parts of the ensemble do what their comments say, against plain models that keep everything.
// Observed: random streams; shares of a full sorted history; all pieces of a short stream.
#include <troupe/analytics/calendar_profile.hpp>
#include <troupe/analytics/peak_filter.hpp>
#include <troupe/analytics/recent_values.hpp>
#include <troupe/analytics/reference_sample.hpp>
#include <troupe/analytics/shape_novelty.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe::analytics;
using doctest::Approx;

TEST_CASE("reference_sample: surprise in the bulk is the share of values at least as extreme") {
  std::mt19937_64 random{1};
  std::lognormal_distribution<double> values{0, 1};
  reference_sample sample;
  std::vector<double> all;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(values(random));
    sample.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.03, 0.05, 0.1, 0.25, 0.5}) {
    CAPTURE(share);
    const auto rank = static_cast<std::size_t>(share * 10'000);
    CHECK(std::pow(10, -sample.surprise_above(all[10'000 - rank])) == Approx(share).epsilon(0.08));
    CHECK(std::pow(10, -sample.surprise_below(all[rank - 1])) == Approx(share).epsilon(0.08));
  }
}

TEST_CASE("reference_sample: surprise beyond all values grows with the distance and is alike on both sides") {
  std::mt19937_64 random{2};
  std::normal_distribution<double> values{0, 1};
  reference_sample sample;
  reference_sample mirrored;
  for (int i = 0; i < 5'000; ++i) {
    const double v = values(random);
    sample.add(v);
    mirrored.add(-v);
  }
  double last = 0;
  for (double v = 2; v < 50; v *= 1.3) {
    CAPTURE(v);
    const double now = sample.surprise_above(v);
    CHECK(now > last);
    CHECK(mirrored.surprise_below(-v) == Approx(now).epsilon(0.05)); // groups are formed from one side
    last = now;
  }
  CHECK(sample.surprise_above(4) > 3); // once in 30,000 for the normal distribution, seen 5,000 times
  CHECK(sample.surprise_above(4) < 5);
}

TEST_CASE("reference_sample: the first fifty values surprise nobody") {
  reference_sample sample;
  for (std::size_t i = 0; i < reference_sample::least; ++i) {
    CHECK(sample.surprise(1e9) == 0);
    sample.add(static_cast<double>(i));
  }
  CHECK(sample.surprise(1e9) > 3);
}

TEST_CASE("reference_sample: one value over and over is no surprise and another one is") {
  reference_sample sample;
  for (int i = 0; i < 1'000; ++i)
    sample.add(45);
  CHECK(sample.surprise(45) == 0);
  CHECK(sample.surprise(46) > 3);
  CHECK(sample.surprise(44) > 3);
}

TEST_CASE("reference_sample: old ways are forgotten after several times its memory") {
  reference_sample sample;
  for (std::size_t i = 0; i < reference_sample::memory; ++i)
    sample.add(static_cast<double>(i % 100));
  CHECK(sample.surprise(1'000) > 3);
  for (std::size_t i = 0; i < 3 * reference_sample::memory; ++i)
    sample.add(1'000 + static_cast<double>(i % 100));
  CHECK(sample.surprise(1'050) < 1);
  CHECK(sample.surprise(50) > 1);
  CHECK(sample.weight() <= static_cast<double>(reference_sample::memory));
}

TEST_CASE("calendar_profile: a value is compared with its own slot of the cycle") {
  calendar_profile day{24h, 1h};
  const auto at = [](int d, int h) { return std::chrono::sys_days{std::chrono::days{d}} + std::chrono::hours{h}; };
  for (int d = 0; d < 3; ++d)
    for (int h = 0; h < 24; ++h)
      CHECK(day.residual(at(d, h), 10.0 * h) == 0);
  CHECK(day.residual(at(3, 5) + 59min, 53) == Approx(3));
  CHECK(day.residual(at(-1, 7), 60) == Approx(-10)); // before 1970, too
}

TEST_CASE("calendar_profile: a slot with fewer than two values says nothing") {
  calendar_profile week{std::chrono::weeks{1}, 1h};
  const std::chrono::sys_seconds monday{};
  CHECK(week.residual(monday, 5) == 0);
  CHECK(week.residual(monday, 500) == 0);
  CHECK(week.residual(monday, 500) != 0);
  CHECK(week.residual(monday + 24h, 500) == 0);
}

TEST_CASE("shape_novelty: the distance is that to the third nearest piece of the past") {
  std::mt19937_64 random{3};
  std::normal_distribution<double> noise{0, 1};
  shape_novelty novelty;
  std::vector<double> values;
  std::vector<double> averages;
  for (int n = 0; n < 2'600; ++n) {
    values.push_back(noise(random));
    const std::size_t from = values.size() - std::min(values.size(), shape_novelty::step);
    double mean = 0;
    for (std::size_t i = from; i < values.size(); ++i)
      mean += values[i] / static_cast<double>(values.size() - from);
    averages.push_back(mean);
    const auto got = novelty.add(values.back());
    const std::size_t end = averages.size() - 1;
    std::vector<double> distances;
    for (std::size_t other = shape_novelty::span - 1; other + shape_novelty::span <= end; ++other) {
      if (other + shape_novelty::span + shape_novelty::history <= end)
        continue;
      double square = 0;
      for (std::size_t i = 0; i < shape_novelty::points; ++i)
        square += std::pow(averages[end - i * shape_novelty::step] - averages[other - i * shape_novelty::step], 2);
      distances.push_back(std::sqrt(square));
    }
    std::sort(distances.begin(), distances.end());
    CAPTURE(n);
    if (distances.size() < shape_novelty::neighbours + 1)
      continue;
    REQUIRE(got.has_value());
    REQUIRE(*got == Approx(distances[shape_novelty::neighbours - 1]));
  }
}

TEST_CASE("peak_filter: a value passes if it is above the last ones") {
  peak_filter<3> filter;
  const double in[] = {1, 1, 2, 1, 1, 1, 1, 3, 2, 4};
  const double out[] = {1, 0, 2, 0, 0, 0, 0, 3, 0, 4};
  for (std::size_t i = 0; i < std::size(in); ++i) {
    CAPTURE(i);
    CHECK(filter.pass(in[i]) == out[i]);
  }
}

TEST_CASE("recent_values: mean, range and order are those of the last ones") {
  recent_values<3> recent;
  recent.add(5);
  CHECK(recent.mean() == 5);
  CHECK(recent.range() == 0);
  for (const double v : {1.0, 2.0, 6.0})
    recent.add(v);
  CHECK(recent.size() == 3);
  CHECK(recent.mean() == Approx(3));
  CHECK(recent.range() == 5);
  CHECK(recent[0] == 6);
  CHECK(recent[2] == 1);
}
