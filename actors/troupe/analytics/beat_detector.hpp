// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/biquad.hpp>
#include <troupe/analytics/moving_median.hpp>
#include <troupe/analytics/qrs_envelope.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace troupe::analytics {

/// A heart beat in an electrocardiogram.
struct beat {
  std::uint64_t sample;  ///< Of the R peak, counted from 0 at the first sample given to the detector.
  std::uint64_t decided; ///< The sample with which the detector was sure.
  double height;         ///< Of the R peak over the samples around it, in the unit of the signal; negative if inverted.
};

/// Finds the heart beats (QRS complexes) in one lead of an electrocardiogram, as the samples come.
///
/// The rules are those of Hamilton ("Open source ECG analysis", Computers in Cardiology 2002), a descendant of Pan and
/// Tompkins (1985): band-pass, slope, mean over 80 ms; a peak of that envelope with no larger one within 200 ms is a beat
/// if it is above a threshold between the medians of the last beats and of the last other peaks, and no T wave, which
/// comes within 360 ms and has less than half the slope. If no beat comes for 1.5 usual intervals, the largest peak
/// since is looked at again with half the threshold.
///
/// Before that, a median over 20 ms takes away spikes, as of pacemakers and loose contacts, that are too short for a complex.
///
/// Only ratios are compared, so unit, gain, offset and polarity of the lead do not matter. A sample that is not finite, or
/// beyond 10^12, is a gap, and so is a lead that has not moved at all for half a second: time passes, and the signal goes on where it
/// stopped. A step, where the signal does not come back, is no beat. At the start, and after 3 s without a beat, thresholds are
/// learnt anew from peaks that stand out of their surroundings; a flat lead, or one with noise alone, has none.
///
/// Beats come in order of time. Most are decided 0.35 s after their R peak, those found by looking back within
/// `delay_most`. Memory: about 20 KB at 360 Hz. Time: some 100 ns a sample.
/// Threads: owner only.
class beat_detector {
public:
  static constexpr std::chrono::seconds delay_most{4};
  static constexpr double rate_least = 80; ///< Samples per second.
  static constexpr double rate_most = 4'000;

  /// `rate`: samples per second. An `std::invalid_argument` if it is not from `rate_least` to `rate_most`.
  explicit beat_detector(double rate);

  /// Takes the next sample; the beats that are decided with it, mostly none. The view is good until the next call.
  std::span<const beat> add(double sample);

  /// The beats that were still undecided, when no more samples come. Their `decided` may be behind the last sample.
  std::span<const beat> finish();

private:
  /// A peak of the envelope.
  struct peak {
    std::uint64_t at;
    double height;
    double slope; // the largest within 80 ms
  };

  /// The median of the last eight.
  class recent_median {
  public:
    void add(double value) noexcept { values_[added_++ % values_.size()] = value; }
    void clear() noexcept { added_ = 0; }
    double value_or(double none) const noexcept;

  private:
    std::array<double, 8> values_{};
    std::size_t added_ = 0;
  };

  void take(double sample);
  double continuous(double sample) noexcept;
  void follow(double height, double slope);
  void classify(const peak& p);
  void accept(const peak& p);
  void look_back();
  void learn();
  double usual_height() const;
  double threshold() const noexcept;
  std::pair<std::uint64_t, std::uint64_t> around(const peak& p, double before, double after) const;
  double mean(std::uint64_t first, std::uint64_t last) const;
  bool is_step(const peak& p) const;
  beat located(const peak& p) const;
  std::uint64_t in_samples(double seconds) const noexcept;

  double rate_;
  moving_median despiked_;
  qrs_envelope envelope_;
  std::uint64_t lag_;       // of the envelope behind the signal
  std::uint64_t taken_ = 0; // samples

  // -- gaps --
  bool in_gap_ = true;
  double offset_ = 0;      // what makes the signal go on after a gap where it stopped
  double continued_ = 0;   // the last sample, with it
  double last_ = 0;        // the last sample, as given
  std::uint64_t flat_ = 0; // how often that one has come again

  // -- the past 4 s, rings by sample number --
  biquad level_; // takes the baseline's wander out of what is kept
  std::vector<double> signal_;
  std::vector<double> heights_; // of the envelope

  // -- peaks --
  std::optional<peak> open_; // the largest of late; a larger one may still come
  std::vector<peak> unsure_; // since the last beat, or, before the first learning, all
  std::optional<peak> beat_; // the last one
  std::uint64_t relearn_at_; // if no beat comes before
  bool learnt_ = false;
  recent_median beats_, others_; // heights
  recent_median intervals_;      // between beats, in samples

  std::vector<beat> decided_; // with this sample
};

} // namespace troupe::analytics
