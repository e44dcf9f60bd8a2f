// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/observe/flight_record.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <typeinfo>
#include <vector>

namespace troupe::detail {

/// The last messages of one actor, in a ring. Threads: any.
class flight_recorder {
public:
  struct entry {
    time_point at{};
    std::uint64_t sender = 0;
    const std::type_info* message = nullptr;
    std::chrono::nanoseconds took{};
    bool failed = false;
  };

  /// Keeps `capacity` entries; none if that is 0.
  explicit flight_recorder(std::size_t capacity) : capacity_{capacity} {}

  void note(const entry& e) {
    if (capacity_ == 0)
      return;
    const std::scoped_lock guard{mutex_};
    if (ring_.size() < capacity_) {
      ring_.push_back(e);
      return;
    }
    ring_[oldest_] = e;
    oldest_ = (oldest_ + 1) % capacity_;
  }

  /// Oldest first.
  std::vector<flight_record> list() const {
    const std::scoped_lock guard{mutex_};
    std::vector<flight_record> all;
    all.reserve(ring_.size());
    for (std::size_t i = 0; i < ring_.size(); ++i) {
      const auto& e = ring_[(oldest_ + i) % ring_.size()];
      all.push_back({e.at, e.sender, type_name(*e.message), e.took, e.failed});
    }
    return all;
  }

private:
  // -- immutable --
  const std::size_t capacity_;

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // leaf lock
  std::vector<entry> ring_;
  std::size_t oldest_ = 0; // once the ring is full
};

} // namespace troupe::detail
