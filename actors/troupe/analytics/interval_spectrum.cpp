// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/interval_spectrum.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <vector>

namespace troupe::analytics {

namespace {

// Hz: upper ends of the bands.
constexpr double very_low_most = 0.04;
constexpr double low_most = 0.15;
constexpr double high_most = 0.4;

constexpr double varies_least = 1e-9; // of the mean: less is rounding, of which a ratio would say something

constexpr double oversampling = 4; // frequencies for each 1/span

/// One interval as the periodogram sees it.
struct sample {
  double value;               // without the mean
  std::complex<double> phase; // e^(i w t) at the frequency at work
  std::complex<double> turn;  // what the next frequency multiplies it by
};

/// The power at the frequency at work: the part of the sum of squares that a sinusoid takes away, halved.
double power_of(const std::vector<sample>& samples) {
  std::complex<double> weighted;
  std::complex<double> squares; // of the phases: e^(2 i w t)
  for (const auto& s : samples) {
    weighted += s.value * s.phase;
    squares += s.phase * s.phase;
  }
  // Scargle's delay makes sine and cosine orthogonal over the times: it turns the sum of squares to the real axis.
  const double length = std::abs(squares);
  const std::complex<double> delay = length > 0 ? std::sqrt(squares / length) : std::complex<double>{1};
  const std::complex<double> turned = weighted * std::conj(delay);
  const auto count = static_cast<double>(samples.size());
  const double cosines = (count + length) / 2;
  const double sines = (count - length) / 2;
  const double tiny = 1e-9 * count; // all samples at one phase: no sine is seen
  return (turned.real() * turned.real() / cosines + (sines > tiny ? turned.imag() * turned.imag() / sines : 0)) / 2;
}

} // namespace

frequency_bands spectrum_of(std::span<const beat_interval> intervals) {
  frequency_bands bands;
  if (intervals.size() < 4)
    return bands;
  const double first = intervals.front().end - intervals.front().length;
  bands.span = intervals.back().end - first;
  const auto count = static_cast<double>(intervals.size());
  double mean = 0;
  for (const auto& i : intervals)
    mean += i.length / count;

  const auto varies = [&](const beat_interval& i) { return std::abs(i.length - mean) > varies_least * mean; };
  if (std::none_of(intervals.begin(), intervals.end(), varies))
    return bands;

  const double step = 1 / (oversampling * bands.span);
  std::vector<sample> samples;
  samples.reserve(intervals.size());
  for (const auto& i : intervals) {
    const auto turn = std::polar(1.0, 2 * std::numbers::pi * step * (i.end - first));
    samples.push_back({i.length - mean, turn, turn});
  }
  const double density = 2 * bands.span / count; // of one unit of power
  const auto steps = static_cast<std::size_t>(high_most / step);
  for (std::size_t i = 1; i <= steps; ++i) {
    const double frequency = static_cast<double>(i) * step;
    const double power = power_of(samples) * density * step;
    (frequency <= very_low_most ? bands.very_low : frequency <= low_most ? bands.low : bands.high) += power;
    for (auto& s : samples)
      s.phase *= s.turn;
  }
  return bands;
}

} // namespace troupe::analytics
