// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace troupe::analytics {

/// The keys that come most often, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi 2005).
///
/// With `capacity` counters and n keys taken, each counted key came at most `count` and at least `count - error` times, and
/// `error` is at most n / capacity; each key that came more than n / capacity times is counted. Where nothing had to be
/// dropped, counts are exact. Merged as by Agarwal et al. ("Mergeable summaries", 2012), with the same bounds over
/// the sum of both. Ties are broken by key, so equal streams give equal answers.
/// Memory: about 200 bytes and two keys for each counter. Time: logarithmic in `capacity`. Threads: owner only.
template <class Key>
class heavy_hitters {
public:
  struct counter {
    Key key;
    std::uint64_t count;
    std::uint64_t error;

    bool operator==(const counter&) const = default;
  };

  /// *Requires*: `capacity` > 0.
  explicit heavy_hitters(std::size_t capacity) : capacity_{capacity} { assert(capacity > 0); }

  void add(const Key& key, std::uint64_t times = 1) {
    total_ += times;
    if (const auto known = counts_.find(key); known != counts_.end()) {
      const auto [count, error] = known->second;
      put(key, count + times, error);
      return;
    }
    if (counts_.size() < capacity_) {
      put(key, floor_ + times, floor_);
      return;
    }
    const auto least = *by_count_.begin();
    by_count_.erase(by_count_.begin());
    counts_.erase(least.second);
    put(key, least.first + times, least.first);
  }

  /// As if all that `other` has taken had been added.
  void merge(const heavy_hitters& other) {
    const std::uint64_t mine = unseen();
    const std::uint64_t theirs = other.unseen();
    std::vector<counter> all;
    for (const auto& [key, c] : counts_) {
      const auto there = other.counts_.find(key);
      const auto [count, error] = there == other.counts_.end() ? std::pair{theirs, theirs} : there->second;
      all.push_back({key, c.first + count, c.second + error});
    }
    for (const auto& [key, c] : other.counts_)
      if (!counts_.contains(key))
        all.push_back({key, c.first + mine, c.second + mine});
    std::sort(all.begin(), all.end(), before);
    counts_.clear();
    by_count_.clear();
    // A key that is dropped here, or was never counted, may have come as often as the largest one dropped.
    floor_ = all.size() > capacity_ ? std::max(mine + theirs, all[capacity_].count) : mine + theirs;
    all.resize(std::min(all.size(), capacity_), counter{});
    for (const auto& c : all)
      put(c.key, c.count, c.error);
    total_ += other.total_;
  }

  /// The `most` largest counters, largest first.
  std::vector<counter> top(std::size_t most) const {
    std::vector<counter> result;
    for (const auto& [key, c] : counts_)
      result.push_back({key, c.first, c.second});
    std::sort(result.begin(), result.end(), before);
    result.resize(std::min(result.size(), most), counter{});
    return result;
  }

  std::uint64_t total() const noexcept { return total_; }

  /// The most often that a key which is not counted can have come.
  std::uint64_t unseen() const noexcept {
    return counts_.size() < capacity_ ? floor_ : std::max(floor_, by_count_.begin()->first);
  }

private:
  static bool before(const counter& a, const counter& b) {
    return a.count != b.count ? a.count > b.count : a.key < b.key;
  }

  void put(const Key& key, std::uint64_t count, std::uint64_t error) {
    const auto [place, fresh] = counts_.try_emplace(key, count, error);
    if (!fresh) {
      by_count_.erase({place->second.first, key});
      place->second = {count, error};
    }
    by_count_.emplace(count, key);
  }

  std::size_t capacity_;
  std::uint64_t total_ = 0;
  std::uint64_t floor_ = 0; // a key without a counter may have come so often before the last merge
  std::map<Key, std::pair<std::uint64_t, std::uint64_t>> counts_; // count, error
  std::set<std::pair<std::uint64_t, Key>> by_count_;
};

} // namespace troupe::analytics
