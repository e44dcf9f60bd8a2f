// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <random>

namespace order_simulation {

/// A source of uniform random numbers over all 64-bit values, such as `std::mt19937_64`.
template <class Generator>
concept random_bits_64 = std::uniform_random_bit_generator<Generator> && Generator::min()
== 0 && Generator::max() == std::numeric_limits<std::uint64_t>::max();

/// Picks keys from 1 to n, either all alike or by Zipf's law, where key k has a probability proportional to k^-s and
/// key 1 is thus the most frequent one. A key costs O(1) time and nothing is tabulated, whatever n is.
///
/// Zipf: rejection-inversion (W. Hoermann and G. Derflinger, "Rejection-inversion to generate variates from monotone
/// discrete distributions", ACM TOMACS 6(3), 1996). Uniform: multiplication with rejection (D. Lemire, "Fast random
/// integer generation in an interval", ACM TOMACS 29(1), 2019).
///
/// Threads: immutable after construction; the generator belongs to the caller.
class key_distribution {
public:
  /// Requires: n > 0.
  static key_distribution uniform(std::uint64_t n) { return {n, 0.0}; }

  /// Requires: 0 < n < 2^53, 0 < constant <= 10.
  static key_distribution zipf(std::uint64_t n, double constant = 1.0) { return {n, constant}; }

  std::uint64_t size() const { return n_; }

  template <random_bits_64 Generator>
  std::uint64_t operator()(Generator& generator) const {
    return constant_ > 0 ? pick_zipf(generator) : pick_uniform(generator);
  }

private:
  key_distribution(std::uint64_t n, double constant) : n_{n}, constant_{constant} {
    if (constant_ <= 0)
      return;
    area_first_ = area(1.5) - 1.0;
    area_last_ = area(static_cast<double>(n_) + 0.5);
    sure_distance_ = 2.0 - area_inverse(area(2.5) - weight(2.0));
  }

  template <class Generator>
  std::uint64_t pick_uniform(Generator& generator) const {
    __extension__ using wide = unsigned __int128;
    for (;;) {
      const wide product = wide{generator()} * n_;
      const auto low = static_cast<std::uint64_t>(product);
      if (low >= n_ || low >= -n_ % n_) // the remainder is rarely needed
        return static_cast<std::uint64_t>(product >> 64) + 1;
    }
  }

  template <class Generator>
  std::uint64_t pick_zipf(Generator& generator) const {
    for (;;) {
      const double unit = static_cast<double>(generator() >> 11) * 0x1.0p-53;
      const double u = area_last_ + unit * (area_first_ - area_last_);
      const double x = area_inverse(u);
      const double key = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(n_));
      if (key - x <= sure_distance_ || u >= area(key + 0.5) - weight(key))
        return static_cast<std::uint64_t>(key);
    }
  }

  /// The weight of a key, x^-s.
  double weight(double x) const { return std::exp(-constant_ * std::log(x)); }

  /// The integral of the weight from 1 to x, (x^(1-s) - 1) / (1-s), which is log(x) for s = 1; written so that it stays
  /// exact near s = 1.
  double area(double x) const {
    const double log_x = std::log(x);
    const double t = (1.0 - constant_) * log_x;
    return (std::abs(t) > 1e-8 ? std::expm1(t) / t : 1.0 + t / 2.0 * (1.0 + t / 3.0)) * log_x;
  }

  double area_inverse(double a) const {
    const double t = std::max(a * (1.0 - constant_), -1.0); // below -1 by rounding only
    return std::exp((std::abs(t) > 1e-8 ? std::log1p(t) / t : 1.0 - t * (0.5 - t / 3.0)) * a);
  }

  std::uint64_t n_;
  double constant_; // 0: uniform
  double area_first_ = 0;
  double area_last_ = 0;
  double sure_distance_ = 0; // an x this close to its key is accepted without another look
};

} // namespace order_simulation
