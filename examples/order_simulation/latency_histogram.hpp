// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace order_simulation {

/// A histogram of latencies from 1 us to 1 h in fixed memory (about 190 KiB), exact to a thousandth.
///
/// The idea is HdrHistogram's (Gil Tene, http://hdrhistogram.org): buckets grow with the value by powers of two, and
/// each is cut into 1024 sub-buckets of equal width, so that a value is off by at most 1/1024 of itself. Latencies are
/// rounded up to microseconds; one outside the range counts as the nearest one inside.
///
/// Threads: owner only. Give each worker its own and `merge` them at the end.
class latency_histogram {
public:
  static constexpr std::chrono::microseconds least{1};
  static constexpr std::chrono::microseconds most{std::chrono::hours{1}};

  void record(std::chrono::nanoseconds latency) {
    const auto rounded = std::chrono::ceil<std::chrono::microseconds>(latency);
    const auto value = static_cast<std::uint64_t>(std::clamp(rounded, least, most).count());
    ++counts_[index_of(value)];
    ++total_;
    max_ = std::max(max_, value);
  }

  /// Adds all that `other` has recorded.
  void merge(const latency_histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += other.counts_[i];
    total_ += other.total_;
    max_ = std::max(max_, other.max_);
  }

  std::uint64_t count() const { return total_; }

  /// The largest latency recorded, exactly; 0 if there is none.
  std::chrono::microseconds max() const { return std::chrono::microseconds{static_cast<std::int64_t>(max_)}; }

  /// A latency that at least `quantile` (0 to 1) of the recorded ones do not exceed: the upper end of the sub-bucket
  /// that holds the exact answer, and at most `max()`. 0 if nothing is recorded.
  std::chrono::microseconds value_at(double quantile) const {
    // The factor keeps 0.07 * 100, which is a little above 7 in binary, from asking for the eighth value.
    const double share = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(total_) * (1 - 1e-12);
    const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if ((seen += counts_[i]) >= rank)
        return std::min(std::chrono::microseconds{static_cast<std::int64_t>(upper_end(i))}, max());
    return max();
  }

private:
  static constexpr unsigned sub_bucket_bits = 10;
  static constexpr std::uint64_t sub_buckets = std::uint64_t{1} << sub_bucket_bits;

  // Values below 2 * sub_buckets have a counter each. Above, a value of b bits is shifted right until
  // sub_bucket_bits + 1 are left, of which the first is 1: each further bit adds sub_buckets counters.
  static constexpr std::size_t index_of(std::uint64_t value) {
    const unsigned bits = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = bits > sub_bucket_bits + 1 ? bits - (sub_bucket_bits + 1) : 0;
    return static_cast<std::size_t>(shift * sub_buckets + (value >> shift));
  }

  static constexpr std::uint64_t upper_end(std::size_t index) {
    const std::uint64_t bucket = index / sub_buckets;
    const std::uint64_t shift = bucket > 1 ? bucket - 1 : 0;
    return ((index - shift * sub_buckets + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(index_of(most.count()) + 1);
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0; // microseconds
};

} // namespace order_simulation
