// SPDX-License-Identifier: BSD-3-Clause

// Claim: quantiles are right to a thousandth over the whole range, in fixed memory. Observed against the sorted list of
// the recorded values.
#include <troupe/analytics/latency_histogram.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using troupe::analytics::latency_histogram;
using namespace std::chrono_literals;
using std::chrono::microseconds;

TEST_CASE("latency_histogram: an empty one has zeros only") {
  const latency_histogram h;
  CHECK(h.count() == 0);
  CHECK(h.max() == 0us);
  CHECK(h.value_at(0.99) == 0us);
}

TEST_CASE("latency_histogram: small values are exact") {
  latency_histogram h;
  for (int i = 1; i <= 2047; ++i)
    h.record(microseconds{i});
  CHECK(h.value_at(0.0) == 1us);
  CHECK(h.value_at(0.5) == 1024us);
  CHECK(h.value_at(1.0) == 2047us);
}

TEST_CASE("latency_histogram: a rank is exact where the share is no exact binary number") {
  latency_histogram h;
  for (int i = 1; i <= 100; ++i)
    h.record(microseconds{i});
  for (int percent = 1; percent <= 100; ++percent) {
    CAPTURE(percent);
    CHECK(h.value_at(percent / 100.0) == microseconds{percent});
  }
}

TEST_CASE("latency_histogram: values out of range count as the nearest one inside") {
  latency_histogram h;
  h.record(0ns);
  h.record(-5s);
  CHECK(h.value_at(1.0) == 1us);
  h.record(1001ns);
  CHECK(h.max() == 2us);
  h.record(5h);
  CHECK(h.max() == 1h);
  CHECK(h.value_at(1.0) == 1h);
  h.record(std::chrono::nanoseconds::max());
  CHECK(h.count() == 5);
}

TEST_CASE("latency_histogram: every value is off by at most a thousandth and never below") {
  for (std::int64_t value = 1; value <= 3'600'000'000; value += 1 + value / 777) {
    latency_histogram h;
    h.record(microseconds{value});
    h.record(1h);
    const std::int64_t shown = h.value_at(0.5).count();
    REQUIRE(shown >= value);
    REQUIRE(static_cast<double>(shown - value) <= 0.001 * static_cast<double>(value));
  }
}

TEST_CASE("latency_histogram: quantiles follow the sorted values also after a merge") {
  std::mt19937_64 random{7};
  std::vector<std::int64_t> values;
  latency_histogram parts[3];
  for (int i = 0; i < 30'000; ++i) {
    const auto value = static_cast<std::int64_t>(std::exp2(static_cast<double>(random() % 3000) / 100.0)) + 1;
    values.push_back(value);
    parts[i % 3].record(microseconds{value});
  }
  latency_histogram h;
  for (const latency_histogram& part : parts)
    h.merge(part);
  std::sort(values.begin(), values.end());
  CHECK(h.count() == values.size());
  CHECK(h.max() == microseconds{values.back()});
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    CAPTURE(q);
    const auto exact = values[static_cast<std::size_t>(std::ceil(q * 30'000)) - 1];
    CHECK(h.value_at(q).count() >= exact);
    CHECK(static_cast<double>(h.value_at(q).count()) <= 1.001 * static_cast<double>(exact));
  }
}

TEST_CASE("latency_histogram: mean and least are exact") {
  latency_histogram h;
  CHECK(h.min() == 0us);
  CHECK(h.mean().count() == 0);
  h.record(3us);
  h.record(1h);
  h.record(5000001us);
  CHECK(h.min() == 3us);
  CHECK(h.mean().count() == doctest::Approx((3 + 3.6e9 + 5000001) / 3));
}

TEST_CASE("latency_histogram: an answer that took long stands for those that were not asked for meanwhile") {
  latency_histogram h;
  h.record_expected(40us, 100us);
  CHECK(h.count() == 1);
  h.record_expected(1050us, 100us); // and 950, 850, ... 150
  CHECK(h.count() == 11);
  CHECK(h.min() == 40us);
  CHECK(h.value_at(2.0 / 11) == 150us);
}
