// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace troupe::analytics {

/// Says how probable it is that something with these features is of the class that the model was trained for: logistic
/// regression.
///
/// Each feature is brought to mean 0 and deviation 1 before it is weighed, so that weights can be compared. Immutable.
class logistic_model {
public:
  /// What is known of one feature.
  struct term {
    double mean = 0;
    double deviation = 1; ///< Above 0.
    double weight = 0;
  };

  logistic_model() = default;
  logistic_model(double bias, std::vector<term> terms) : bias_{bias}, terms_{std::move(terms)} {}

  /// From 0 to 1. *Requires*: as many features as terms.
  double probability(std::span<const double> features) const noexcept;

  double bias() const noexcept { return bias_; }
  const std::vector<term>& terms() const noexcept { return terms_; }

private:
  double bias_ = 0;
  std::vector<term> terms_;
};

/// What a model is trained with.
struct example {
  std::vector<double> features;
  bool positive = false;
};

/// The weights of the largest likelihood less `ridge` / 2 times the sum of their squares, which keeps them finite where the
/// classes can be told apart without a fault; found by Newton's method (iteratively reweighted least squares; Hastie,
/// Tibshirani, Friedman, "The Elements of Statistical Learning", 4.4). With `balanced`, both classes weigh the same however
/// many there are of each. A feature that never changes gets weight 0. Deterministic. Time: examples * features^2 a step.
/// Throws `std::invalid_argument` if a class is missing or the numbers of features differ.
logistic_model train(std::span<const example> examples, double ridge = 1, bool balanced = true);

/// The probability that a positive example gets a higher score than a negative one, ties counting half: the area under the
/// receiver's operating curve (Hanley and McNeil 1982). 0.5 is guessing; NaN if a class is missing.
/// *Requires*: as many scores as labels.
double area_under_curve(std::span<const double> scores, const std::vector<bool>& positive);

} // namespace troupe::analytics
