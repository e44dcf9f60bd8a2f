// SPDX-License-Identifier: BSD-3-Clause

// Claim: keys come with exactly the probabilities of their law. Observed by Pearson's chi-square test on a fixed seed:
// the statistic of a right sampler exceeds its mean by five standard deviations about once in a million seeds.
#include "order_simulation/key_distribution.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using order_simulation::key_distribution;

namespace {

/// How many standard deviations the chi-square statistic lies above its mean. Keys from `tail` on share one cell, which
/// keeps every expected count above five.
double chi_square_excess(const key_distribution& keys, double constant, std::size_t tail, std::uint64_t seed) {
  constexpr int draws = 400'000;
  const auto n = static_cast<std::size_t>(keys.size());
  tail = std::min(tail, n);
  std::vector<double> probability(tail + 1);
  double sum = 0;
  for (std::size_t key = n; key >= 1; --key) {
    const double weight = std::pow(static_cast<double>(key), -constant);
    probability[std::min(key, tail)] += weight;
    sum += weight;
  }
  std::vector<int> seen(tail + 1);
  std::mt19937_64 random{seed};
  std::uint64_t least = n;
  std::uint64_t most = 1;
  for (int i = 0; i < draws; ++i) {
    const std::uint64_t key = keys(random);
    least = std::min(least, key);
    most = std::max(most, key);
    ++seen[std::min(static_cast<std::size_t>(key), tail)];
  }
  REQUIRE(least >= 1);
  REQUIRE(most <= keys.size());
  double statistic = 0;
  for (std::size_t cell = 1; cell <= tail; ++cell) {
    const double expected = probability[cell] / sum * draws;
    REQUIRE(expected > 5);
    statistic += (seen[cell] - expected) * (seen[cell] - expected) / expected;
  }
  const double freedom = static_cast<double>(tail) - 1;
  return freedom > 0 ? (statistic - freedom) / std::sqrt(2 * freedom) : statistic;
}

} // namespace

TEST_CASE("key_distribution: uniform keys are all alike") {
  for (const std::uint64_t n : {1u, 2u, 3u, 10u, 100u, 1000u}) {
    CAPTURE(n);
    CHECK(chi_square_excess(key_distribution::uniform(n), 0, n, 42) < 5);
  }
}

TEST_CASE("key_distribution: zipf keys follow the law for every constant") {
  for (const double constant : {0.25, 0.5, 0.99, 1.0, 1.000000001, 1.01, 1.5, 2.0})
    for (const std::uint64_t n : {1u, 2u, 3u, 10u, 100u, 100'000u}) {
      CAPTURE(constant);
      CAPTURE(n);
      CHECK(chi_square_excess(key_distribution::zipf(n, constant), constant, 60, 42) < 5);
    }
}

TEST_CASE("key_distribution: the test notices a constant that is slightly wrong") {
  CHECK(chi_square_excess(key_distribution::zipf(1000, 1.0), 1.02, 60, 42) > 5);
  CHECK(chi_square_excess(key_distribution::zipf(100, 0.05), 0, 100, 42) > 5);
}

TEST_CASE("key_distribution: the constant of zipf is 1 by default") {
  std::mt19937_64 a{3};
  std::mt19937_64 b{3};
  const auto plain = key_distribution::zipf(1000);
  const auto one = key_distribution::zipf(1000, 1.0);
  for (int i = 0; i < 100; ++i)
    CHECK(plain(a) == one(b));
}

TEST_CASE("key_distribution: large ranges and steep constants stay inside their range") {
  std::mt19937_64 random{11};
  const auto wide = key_distribution::uniform(~std::uint64_t{0});
  const auto long_tail = key_distribution::zipf(std::uint64_t{1} << 52, 0.1);
  const auto steep = key_distribution::zipf(1000, 10.0);
  std::uint64_t largest = 0;
  for (int i = 0; i < 10'000; ++i) {
    CHECK(wide(random) >= 1);
    largest = std::max(largest, long_tail(random));
    CHECK(steep(random) <= 10);
  }
  CHECK(largest > std::uint64_t{1} << 51);
  CHECK(largest <= std::uint64_t{1} << 52);
}
