// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <random>
#include <vector>

/// A made electrocardiogram: bells for the waves P, Q, R, S and T at each beat (after McSharry et al. 2003), and the
/// samples at which its R peaks are.
struct electrocardiogram {
  double rate;
  std::vector<double> samples; // mV
  std::vector<std::size_t> beats;

  /// `seconds` of about 72 beats a minute, whose intervals vary by 5 %.
  electrocardiogram(double samples_per_second, double seconds, unsigned seed)
      : rate{samples_per_second}, samples(static_cast<std::size_t>(seconds * samples_per_second)) {
    std::mt19937 random{seed};
    std::uniform_real_distribution<double> interval{0.79, 0.87};
    for (double at = 0.5; at < seconds - 0.5; at += interval(random)) {
      beats.push_back(static_cast<std::size_t>(std::lround(at * rate)));
      add_bell(at - 0.18, 0.022, 0.12);
      add_bell(at - 0.027, 0.009, -0.12);
      add_bell(at, 0.011, 1.1);
      add_bell(at + 0.028, 0.010, -0.22);
      add_bell(at + 0.25, 0.045, 0.28);
    }
  }

  /// Changes every sample: `change(seconds, value)`.
  template <class Change>
  electrocardiogram with(Change change) const {
    electrocardiogram changed = *this;
    for (std::size_t i = 0; i < samples.size(); ++i)
      changed.samples[i] = change(static_cast<double>(i) / rate, samples[i]);
    return changed;
  }

private:
  void add_bell(double centre, double width, double height) {
    for (std::size_t i = 0; i < samples.size(); ++i)
      if (const double z = (static_cast<double>(i) / rate - centre) / width; std::abs(z) < 6)
        samples[i] += height * std::exp(-z * z / 2);
  }
};
