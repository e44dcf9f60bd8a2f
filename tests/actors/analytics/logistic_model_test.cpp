// SPDX-License-Identifier: BSD-3-Clause
// Claim: training finds the weights of the largest likelihood; the area under the curve is the share of pairs in order.
// Observed: examples drawn from a known model; the slope of the likelihood; a count of pairs.
#include <troupe/analytics/logistic_model.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

using doctest::Approx;
using namespace troupe::analytics;

namespace {

/// Positive with probability 1 / (1 + e^-(1 + 2 a - 0.5 b)), whatever c is.
std::vector<example> drawn(int count) {
  std::mt19937 random{11};
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> unit;
  std::vector<example> all;
  for (int i = 0; i < count; ++i) {
    const double a = normal(random);
    const double b = 10 + 4 * normal(random);
    const double c = normal(random);
    const double p = 1 / (1 + std::exp(-(1 + 2 * a - 0.5 * (b - 10))));
    all.push_back({{a, b, c}, unit(random) < p});
  }
  return all;
}

} // namespace

TEST_CASE("logistic_model: training finds the model that the examples were drawn from") {
  const auto m = train(drawn(40'000), 1e-3, false);
  REQUIRE(m.terms().size() == 3);
  CHECK(m.terms()[0].weight / m.terms()[0].deviation == Approx(2).epsilon(0.05));
  CHECK(m.terms()[1].weight / m.terms()[1].deviation == Approx(-0.5).epsilon(0.05));
  CHECK(std::abs(m.terms()[2].weight) < 0.05);
  CHECK(m.probability(std::vector<double>{0, 10, 0}) == Approx(1 / (1 + std::exp(-1))).epsilon(0.03));
}

TEST_CASE("logistic_model: balanced classes make one half the border between them") {
  const auto all = drawn(4'000);
  const auto m = train(all);
  double positive = 0;
  double negative = 0;
  double positives = 0;
  for (const auto& e : all) {
    (e.positive ? positive : negative) += m.probability(e.features);
    positives += e.positive ? 1 : 0;
  }
  // At the optimum the mistakes of both classes weigh the same.
  CHECK(1 - positive / positives == Approx(negative / (4'000 - positives)).epsilon(1e-6));
}

TEST_CASE("logistic_model: classes that can be told apart have finite weights, and a constant feature none") {
  const std::vector<example> all{{{1, 7}, false}, {{2, 7}, false}, {{5, 7}, true}, {{6, 7}, true}};
  const auto m = train(all);
  CHECK(std::isfinite(m.terms()[0].weight));
  CHECK(m.terms()[1].weight == 0);
  CHECK(m.probability(all[1].features) < 0.5);
  CHECK(m.probability(all[2].features) > 0.5);
}

TEST_CASE("logistic_model: a constant feature has no say, whatever its mean is rounded to") {
  for (const double constant : {0.1, 0.3, 2.0})
    for (const double ridge : {1.0, 0.0}) {
      std::vector<example> all;
      for (int i = 0; i < 11; ++i)
        all.push_back({{static_cast<double>(i % 5), constant}, i % 3 == 0});
      const auto m = train(all, ridge);
      CHECK(m.terms()[1].weight == 0);
      CHECK(m.probability(std::vector{2.0, constant}) == m.probability(std::vector{2.0, constant + 1}));
    }
}

TEST_CASE("logistic_model: what cannot be trained with is refused") {
  CHECK_THROWS_AS(train({}), std::invalid_argument);
  CHECK_THROWS_AS(train(std::vector<example>{{{1}, true}, {{2}, true}}), std::invalid_argument);
  CHECK_THROWS_AS(train(std::vector<example>{{{1}, true}, {{2, 3}, false}}), std::invalid_argument);
}

TEST_CASE("area_under_curve: it is the share of pairs in order, ties counting half") {
  std::mt19937 random{2};
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 200; ++i) {
    positive.push_back(random() % 3 == 0);
    scores.push_back(static_cast<double>(random() % 20 + (positive.back() ? 4 : 0)));
  }
  double pairs = 0;
  double won = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j)
      if (positive[i] && !positive[j]) {
        pairs += 1;
        won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
      }
  CHECK(area_under_curve(scores, positive) == Approx(won / pairs));
  CHECK(std::isnan(area_under_curve(std::vector<double>{1, 2}, {true, true})));
}
