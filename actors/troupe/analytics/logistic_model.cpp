// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/logistic_model.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace troupe::analytics {

namespace {

constexpr int steps_most = 50;
constexpr double step_least = 1e-10;
constexpr double curvature_least = 1e-9; // keeps the bias finite, and without a ridge the weight of a constant feature

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// Solves a symmetric positive definite system in place, by Cholesky's method. `matrix` is row by row.
void solve(std::vector<double>& matrix, std::vector<double>& right) {
  const std::size_t n = right.size();
  const auto at = [&](std::size_t r, std::size_t c) -> double& { return matrix[r * n + c]; };
  for (std::size_t c = 0; c < n; ++c)
    for (std::size_t r = c; r < n; ++r) {
      double sum = at(r, c);
      for (std::size_t k = 0; k < c; ++k)
        sum -= at(r, k) * at(c, k);
      at(r, c) = r == c ? std::sqrt(sum) : sum / at(c, c);
    }
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t k = 0; k < r; ++k)
      right[r] -= at(r, k) * right[k];
    right[r] /= at(r, r);
  }
  for (std::size_t r = n; r-- > 0;) {
    for (std::size_t k = r + 1; k < n; ++k)
      right[r] -= at(k, r) * right[k];
    right[r] /= at(r, r);
  }
}

/// Mean and deviation of each feature.
std::vector<logistic_model::term> scales_of(std::span<const example> examples) {
  std::vector<logistic_model::term> terms(examples.front().features.size());
  const auto count = static_cast<double>(examples.size());
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const double first = examples.front().features[i];
    if (std::all_of(examples.begin(), examples.end(), [&](const example& e) { return e.features[i] == first; })) {
      terms[i].mean = first; // a mean that is off by rounding would make a deviation of it
      continue;
    }
    for (const auto& e : examples)
      terms[i].mean += e.features[i] / count;
    double squares = 0;
    for (const auto& e : examples)
      squares += (e.features[i] - terms[i].mean) * (e.features[i] - terms[i].mean);
    terms[i].deviation = std::sqrt(squares / count);
    if (terms[i].deviation == 0)
      terms[i].deviation = 1;
  }
  return terms;
}

} // namespace

double logistic_model::probability(std::span<const double> features) const noexcept {
  double sum = bias_;
  for (std::size_t i = 0; i < terms_.size(); ++i)
    sum += terms_[i].weight * (features[i] - terms_[i].mean) / terms_[i].deviation;
  return logistic(sum);
}

logistic_model train(std::span<const example> examples, double ridge, bool balanced) {
  const auto positives = static_cast<std::size_t>(
      std::count_if(examples.begin(), examples.end(), [](const example& e) { return e.positive; }));
  if (positives == 0 || positives == examples.size())
    throw std::invalid_argument{"train: examples of both classes are needed"};
  const std::size_t features = examples.front().features.size();
  if (std::any_of(examples.begin(), examples.end(), [&](const auto& e) { return e.features.size() != features; }))
    throw std::invalid_argument{"train: the numbers of features differ"};
  auto terms = scales_of(examples);
  const auto half = static_cast<double>(examples.size()) / 2;
  const double of_positive = balanced ? half / static_cast<double>(positives) : 1;
  const double of_negative = balanced ? half / static_cast<double>(examples.size() - positives) : 1;

  const std::size_t n = features + 1; // the bias comes last
  std::vector<double> weights(n);
  std::vector<double> x(n, 1.0);
  for (int step = 0; step < steps_most; ++step) {
    std::vector<double> gradient(n);
    std::vector<double> curvature(n * n);
    for (std::size_t i = 0; i < features; ++i) {
      gradient[i] = -ridge * weights[i];
      curvature[i * n + i] = std::max(ridge, curvature_least);
    }
    curvature[n * n - 1] = curvature_least;
    for (const auto& e : examples) {
      for (std::size_t i = 0; i < features; ++i)
        x[i] = (e.features[i] - terms[i].mean) / terms[i].deviation;
      const double p = logistic(std::inner_product(x.begin(), x.end(), weights.begin(), 0.0));
      const double importance = e.positive ? of_positive : of_negative;
      for (std::size_t r = 0; r < n; ++r) {
        gradient[r] += importance * ((e.positive ? 1 : 0) - p) * x[r];
        for (std::size_t c = 0; c < n; ++c)
          curvature[r * n + c] += importance * p * (1 - p) * x[r] * x[c];
      }
    }
    solve(curvature, gradient);
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      weights[i] += gradient[i];
      largest = std::max(largest, std::abs(gradient[i]));
    }
    if (largest < step_least)
      break;
  }
  for (std::size_t i = 0; i < features; ++i)
    terms[i].weight = weights[i];
  return {weights.back(), std::move(terms)};
}

double area_under_curve(std::span<const double> scores, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double below = 0; // negatives with a lower score
  double won = 0;
  double positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    double ties = 0; // negatives of this score
    double here = 0; // positives of this score
    for (; end < order.size() && scores[order[end]] == scores[order[i]]; ++end)
      (positive[order[end]] ? here : ties) += 1;
    won += here * (below + ties / 2);
    below += ties;
    positives += here;
    i = end;
  }
  return positives > 0 && below > 0 ? won / (positives * below) : std::numeric_limits<double>::quiet_NaN();
}

} // namespace troupe::analytics
