// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace troupe::analytics {

/// The `most` greatest of all values added, exactly, greatest first. `Less` orders all values.
///
/// Merging in any order gives the same list. Memory: `most` values. Time: logarithmic to find the place, linear to make
/// it; for lists of up to some hundreds. Threads: owner only.
template <class Value, class Less = std::less<Value>>
class top_list {
public:
  explicit top_list(std::size_t most) : most_{most} { values_.reserve(most); }

  void add(const Value& value) {
    if (values_.size() == most_ && (most_ == 0 || !less_(values_.back(), value)))
      return;
    if (values_.size() == most_)
      values_.pop_back();
    const auto greater = [this](const Value& a, const Value& b) { return less_(b, a); };
    values_.insert(std::upper_bound(values_.begin(), values_.end(), value, greater), value);
  }

  void merge(const top_list& other) {
    for (const auto& v : other.values_)
      add(v);
  }

  const std::vector<Value>& values() const noexcept { return values_; }

private:
  std::size_t most_;
  Less less_;
  std::vector<Value> values_;
};

} // namespace troupe::analytics
