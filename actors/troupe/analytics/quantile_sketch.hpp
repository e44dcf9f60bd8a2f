// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

namespace troupe::analytics {

/// Quantiles of a stream with a bounded relative error: DDSketch (Masson, Rim, Lee, VLDB 2019).
///
/// `quantile(q)` differs from the exact one (the value of rank floor(q (n - 1)), counted from 0) by at most `error` of it.
/// Buckets grow by (1 + error) / (1 - error); numbers nearer to 0 than 1e-9 count as 0. At most `buckets_most` buckets are
/// kept for each sign. If there are more, those nearest to 0 are joined, and the bound holds only for quantiles above
/// them: with 1 % and 2,048 buckets, a sign's values may span 17 powers of ten before that.
/// Merging is exact: the same buckets as of the whole. Memory: about 48 bytes for each bucket in use.
/// Threads: owner only.
class quantile_sketch {
public:
  static constexpr std::size_t buckets_most = 2'048;
  static constexpr double least = 1e-9;

  /// *Requires*: 10^-6 <= `error` < 1.
  explicit quantile_sketch(double error = 0.01) : error_{error}, log_growth_{std::log1p(2 * error / (1 - error))} {
    assert(error >= 1e-6 && error < 1);
  }

  /// *Requires*: finite.
  void add(double value, std::uint64_t times = 1) {
    if (std::abs(value) < least)
      zeros_ += times;
    else
      add_to(value > 0 ? positive_ : negative_, index_of(std::abs(value)), times);
    count_ += times;
  }

  /// *Requires*: the same `error`.
  void merge(const quantile_sketch& other) {
    assert(error_ == other.error_);
    for (const auto& [index, times] : other.positive_)
      add_to(positive_, index, times);
    for (const auto& [index, times] : other.negative_)
      add_to(negative_, index, times);
    zeros_ += other.zeros_;
    count_ += other.count_;
  }

  std::uint64_t count() const noexcept { return count_; }

  /// `q` from 0 to 1; 0 without values.
  double quantile(double q) const {
    if (count_ == 0)
      return 0;
    auto rank = static_cast<std::uint64_t>(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_ - 1));
    for (auto b = negative_.rbegin(); b != negative_.rend(); ++b) {
      if (rank < b->second)
        return -value_of(b->first);
      rank -= b->second;
    }
    if (rank < zeros_)
      return 0;
    rank -= zeros_;
    for (const auto& [index, times] : positive_) {
      if (rank < times)
        return value_of(index);
      rank -= times;
    }
    return positive_.empty() ? 0 : value_of(positive_.rbegin()->first); // a rank lost to rounding
  }

  friend bool operator==(const quantile_sketch& a, const quantile_sketch& b) {
    return a.error_ == b.error_ && a.count_ == b.count_ && a.zeros_ == b.zeros_ && a.positive_ == b.positive_ &&
           a.negative_ == b.negative_;
  }

private:
  using buckets = std::map<int, std::uint64_t>;

  int index_of(double size) const { return static_cast<int>(std::ceil(std::log(size) / log_growth_)); }
  /// From the lower end of the bucket: the upper one of the last is no finite number.
  double value_of(int index) const {
    return std::min(std::exp((index - 1) * log_growth_) * (1 + error_), std::numeric_limits<double>::max());
  }

  static void add_to(buckets& to, int index, std::uint64_t times) {
    if (to.size() >= buckets_most && index < to.begin()->first)
      index = to.begin()->first;
    to[index] += times;
    if (to.size() > buckets_most) {
      const auto first = to.begin();
      std::next(first)->second += first->second;
      to.erase(first);
    }
  }

  double error_;
  double log_growth_;
  std::uint64_t count_ = 0;
  std::uint64_t zeros_ = 0;
  buckets positive_;
  buckets negative_; // by size
};

} // namespace troupe::analytics
