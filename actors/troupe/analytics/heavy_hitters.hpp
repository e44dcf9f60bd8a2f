// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace troupe::analytics {

/// The keys that come most often, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi 2005).
///
/// With `capacity` counters and n keys taken, each counted key came at most `count` and at least `count - error` times, and
/// `error` is at most n / capacity; each key that came more than n / capacity times is counted. Where nothing had to be
/// dropped, counts are exact. Merged as by Agarwal et al. ("Mergeable summaries", 2012), with the same bounds over
/// the sum of both. Ties are broken by key, so equal streams give equal answers.
///
/// `Key` has an order and a std::hash. Memory: about 36 bytes and a key for each counter, in two rows. Time: logarithmic in
/// `capacity`, and no allocation once all counters are in use. Threads: owner only.
template <class Key>
class heavy_hitters {
public:
  struct counter {
    Key key;
    std::uint64_t count;
    std::uint64_t error;

    bool operator==(const counter&) const = default;
  };

  /// *Requires*: 0 < `capacity` < 2^31.
  explicit heavy_hitters(std::size_t capacity) : capacity_{capacity}, places_(std::bit_ceil(2 * capacity), nowhere) {
    assert(capacity > 0);
  }

  void add(const Key& key, std::uint64_t times = 1) {
    total_ += times;
    if (const auto known = places_[place_of(key)]; known != nowhere) {
      heap_[known].of.count += times;
      sink(known);
    } else if (heap_.size() < capacity_) {
      put({key, floor_ + times, floor_});
    } else {
      const auto least = heap_.front().of.count;
      free_place(heap_.front().place);
      const auto place = place_of(key);
      places_[place] = 0;
      heap_.front() = {{key, least + times, least}, place};
      sink(0);
    }
  }

  /// As if all that `other` has taken had been added.
  void merge(const heavy_hitters& other) {
    const std::uint64_t mine = unseen();
    const std::uint64_t theirs = other.unseen();
    std::vector<counter> all;
    for (const auto& [c, place] : heap_) {
      const auto there = other.places_[other.place_of(c.key)];
      const auto [count, error] = there == nowhere
                                      ? std::pair{theirs, theirs}
                                      : std::pair{other.heap_[there].of.count, other.heap_[there].of.error};
      all.push_back({c.key, c.count + count, c.error + error});
    }
    for (const auto& [c, place] : other.heap_)
      if (places_[place_of(c.key)] == nowhere)
        all.push_back({c.key, c.count + mine, c.error + mine});
    std::sort(all.begin(), all.end(), before);
    heap_.clear();
    std::fill(places_.begin(), places_.end(), nowhere);
    // A key that is dropped here, or was never counted, may have come as often as the largest one dropped.
    floor_ = all.size() > capacity_ ? std::max(mine + theirs, all[capacity_].count) : mine + theirs;
    all.resize(std::min(all.size(), capacity_), counter{});
    for (const auto& c : all)
      put(c);
    total_ += other.total_;
  }

  /// The `most` largest counters, largest first.
  std::vector<counter> top(std::size_t most) const {
    std::vector<counter> result;
    for (const auto& e : heap_)
      result.push_back(e.of);
    std::sort(result.begin(), result.end(), before);
    result.resize(std::min(result.size(), most), counter{});
    return result;
  }

  std::uint64_t total() const noexcept { return total_; }

  /// The most often that a key which is not counted can have come.
  std::uint64_t unseen() const noexcept {
    return heap_.size() < capacity_ ? floor_ : std::max(floor_, heap_.front().of.count);
  }

private:
  using index = std::uint32_t;
  static constexpr index nowhere = ~index{0};

  /// A counter, and its place in the table.
  struct element {
    counter of;
    std::size_t place;
  };

  static bool before(const counter& a, const counter& b) {
    return a.count != b.count ? a.count > b.count : a.key < b.key;
  }
  /// Which of two is to be dropped first.
  static bool less(const counter& a, const counter& b) {
    return a.count != b.count ? a.count < b.count : a.key < b.key;
  }

  // -- the table: open addressing with linear probing, at most half full --

  std::size_t mask() const noexcept { return places_.size() - 1; }
  std::size_t first_place(const Key& key) const noexcept {
    return std::hash<Key>{}(key)*0x9e3779b97f4a7c15 >> 32 & mask(); // Fibonacci hashing
  }

  /// Where the key is, or where it may go.
  std::size_t place_of(const Key& key) const {
    auto at = first_place(key);
    while (places_[at] != nowhere && !(heap_[places_[at]].of.key == key))
      at = (at + 1) & mask();
    return at;
  }

  /// Moves up those behind it that would not be found any more.
  void free_place(std::size_t hole) {
    for (auto at = (hole + 1) & mask(); places_[at] != nowhere; at = (at + 1) & mask()) {
      auto& e = heap_[places_[at]];
      if (((at - first_place(e.of.key)) & mask()) < ((at - hole) & mask()))
        continue; // it is where it belongs, or behind that and after the hole
      places_[hole] = places_[at];
      e.place = hole;
      hole = at;
    }
    places_[hole] = nowhere;
  }

  // -- the heap: the least counter first --

  void set(index at, element e) {
    places_[e.place] = at;
    heap_[at] = std::move(e);
  }

  void put(const counter& c) {
    const auto place = place_of(c.key);
    auto at = static_cast<index>(heap_.size());
    heap_.push_back({c, place});
    for (; at > 0 && less(c, heap_[(at - 1) / 2].of); at = (at - 1) / 2)
      set(at, std::move(heap_[(at - 1) / 2]));
    set(at, {c, place});
  }

  /// Its count has grown.
  void sink(index at) {
    auto e = std::move(heap_[at]);
    const auto end = static_cast<index>(heap_.size());
    for (auto child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && less(heap_[child + 1].of, heap_[child].of))
        ++child;
      if (!less(heap_[child].of, e.of))
        break;
      set(at, std::move(heap_[child]));
      at = child;
    }
    set(at, std::move(e));
  }

  std::size_t capacity_;
  std::uint64_t total_ = 0;
  std::uint64_t floor_ = 0; // a key without a counter may have come so often before the last merge
  std::vector<element> heap_{};
  std::vector<index> places_; // indices into heap_
};

} // namespace troupe::analytics
