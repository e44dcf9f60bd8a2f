// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/agenda.hpp>
#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/window.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// How long the elements of a join are remembered. Without a limit, a join remembers all it has ever seen.
struct join_options {
  /// An element meets those of the other side that happened before or less than so long after it, and is forgotten when the
  /// watermark is that far beyond its time. Nothing: it meets all, and is never forgotten.
  std::optional<event_duration> keep_left{};
  std::optional<event_duration> keep_right{};
};

/// What a join remembers of two streams: each element of one side meets each of the other with the same key, whichever comes
/// first. What a batch changes can be rolled back. Pure.
template <class K, class L, class R>
class join_state {
public:
  explicit join_state(join_options options = {}) : options_{options} {}

  /// Adds an element that happened at `t` to the left side; calls `match(left, right)` for each right one that it meets.
  template <class F>
  void add_left(const K& key, event_time t, const L& left, F&& match) {
    auto& here = keys_.touch(key);
    for (const auto& r : here.right)
      if (meet(t, r.time))
        match(left, r.value);
    keep(here.left, key, t, left, options_.keep_left);
  }

  /// As `add_left`, for the other side.
  template <class F>
  void add_right(const K& key, event_time t, const R& right, F&& match) {
    auto& here = keys_.touch(key);
    for (const auto& l : here.left)
      if (meet(l.time, t))
        match(l.value, right);
    keep(here.right, key, t, right, options_.keep_right);
  }

  /// Event time has reached `watermark`: forgets what is out of date.
  void advance(event_time watermark) {
    if (watermark <= watermark_.get())
      return;
    watermark_.change() = watermark;
    agenda_.due(watermark, [&](event_time, const K& key) {
      auto* here = keys_.touch_existing(key);
      if (here == nullptr)
        return;
      forget(here->left, options_.keep_left);
      forget(here->right, options_.keep_right);
      if (here->left.empty() && here->right.empty())
        keys_.erase(key);
    });
  }

  /// Keys remembered.
  std::size_t size() const noexcept { return keys_.size(); }

  void commit() noexcept {
    keys_.commit();
    watermark_.commit();
  }

  template <class A>
  void archive(A& a) requires archivable<K> && archivable<L> && archivable<R> {
    a(watermark_, keys_);
    if constexpr (A::reads)
      rollback(); // makes the agenda
  }

  void rollback() {
    keys_.rollback();
    watermark_.rollback();
    agenda_.clear();
    keys_.for_each([&](const K& key, const sides& here) {
      for (const auto& l : here.left)
        remind(key, l.time, options_.keep_left);
      for (const auto& r : here.right)
        remind(key, r.time, options_.keep_right);
    });
  }

private:
  template <class T>
  struct remembered {
    void archive(auto& a) requires archivable<T> { a(time, value); }
    event_time time;
    T value;
  };
  struct sides {
    void archive(auto& a) requires archivable<L> && archivable<R> { a(left, right); }
    std::vector<remembered<L>> left;
    std::vector<remembered<R>> right;
  };

  /// Says the times and not who has been forgotten by now, so the answer does not depend on the order of coming.
  bool meet(event_time left, event_time right) const noexcept {
    return (!options_.keep_left || right < later_by(left, *options_.keep_left)) &&
           (!options_.keep_right || left < later_by(right, *options_.keep_right));
  }

  template <class T>
  void keep(std::vector<remembered<T>>& side, const K& key, event_time t, const T& value,
            const std::optional<event_duration>& how_long) {
    if (how_long && later_by(t, *how_long) <= watermark_.get())
      return; // nothing that could meet it is expected any more
    side.push_back({t, value});
    remind(key, t, how_long);
  }

  void remind(const K& key, event_time t, const std::optional<event_duration>& how_long) {
    if (how_long)
      agenda_.remind(later_by(t, *how_long), key);
  }

  template <class T>
  void forget(std::vector<remembered<T>>& side, const std::optional<event_duration>& how_long) {
    if (how_long)
      std::erase_if(side, [&](const auto& x) { return later_by(x.time, *how_long) <= watermark_.get(); });
  }

  join_options options_;
  restorable<event_time> watermark_{start_of_time};
  keyed_table<K, sides> keys_;
  agenda<K> agenda_;
};

/// What a windowed join remembers: elements of both sides meet if they have the same key and lie in the same window. What
/// lies in a complete window is forgotten. Pure.
template <class K, class L, class R>
class windowed_join_state {
public:
  explicit windowed_join_state(tumbling kind) : kind_{kind} {}

  /// Calls `match(left, right, window)`. Returns false if the element is late: its window is complete.
  template <class F>
  bool add_left(const K& key, event_time t, const L& left, F&& match) {
    const auto w = window_of(t);
    return w.end > watermark_.get() &&
           (state_.add_left({w.start, key}, w.start, left, [&](const L& l, const R& r) { match(l, r, w); }), true);
  }

  template <class F>
  bool add_right(const K& key, event_time t, const R& right, F&& match) {
    const auto w = window_of(t);
    return w.end > watermark_.get() &&
           (state_.add_right({w.start, key}, w.start, right, [&](const L& l, const R& r) { match(l, r, w); }), true);
  }

  void advance(event_time watermark) {
    watermark_.change() = std::max(watermark_.get(), watermark);
    state_.advance(watermark);
  }

  std::size_t size() const noexcept { return state_.size(); }

  void commit() noexcept {
    state_.commit();
    watermark_.commit();
  }
  template <class A>
  void archive(A& a) requires archivable<K> && archivable<L> && archivable<R> {
    a(watermark_, state_);
  }

  void rollback() {
    state_.rollback();
    watermark_.rollback();
  }

private:
  window window_of(event_time t) const noexcept {
    const auto start = window_start(t, kind_.size, kind_.offset);
    return {start, start + kind_.size};
  }

  tumbling kind_;
  restorable<event_time> watermark_{start_of_time};
  join_state<std::pair<event_time, K>, L, R> state_{{kind_.size, kind_.size}};
};

/// What a temporal lookup remembers: the versions of a value by key, and the elements that wait until event time is so far
/// that the version valid at their time is known. Versions that nobody can ask for any more are forgotten. Pure.
template <class K, class T, class Version>
class lookup_state {
public:
  /// From `t` on, until the next one, this is the version for `key`. Of two for the same time the later call counts.
  void put(const K& key, event_time t, const Version& v) {
    auto& here = keys_.touch(key);
    const auto at = std::ranges::upper_bound(here.versions, t, {}, &dated<Version>::time);
    if (at != here.versions.begin() && std::prev(at)->time == t)
      std::prev(at)->value = v;
    else
      here.versions.insert(at, {t, v});
    agenda_.remind(t, key);
  }

  /// `x` happened at `t`, and waits for its version.
  void ask(const K& key, event_time t, const T& x) {
    auto& here = keys_.touch(key);
    here.waiting.push_back({t, x});
    agenda_.remind(t, key);
  }

  /// Event time has reached `watermark`. Calls `found(x, version or null)` for each element before it, in the order of time
  /// per key.
  template <class F>
  void advance(event_time watermark, F&& found) {
    if (watermark <= watermark_.get())
      return;
    watermark_.change() = watermark;
    if (watermark == start_of_time)
      return;
    // What happened at the watermark itself may still get a version of that time.
    agenda_.due(watermark == end_of_time ? watermark : watermark - event_duration{1}, [&](event_time, const K& key) {
      auto* here = keys_.touch_existing(key);
      if (here != nullptr)
        answer(*here, watermark, found);
      if (here != nullptr && here->waiting.empty() && here->versions.empty())
        keys_.erase(key);
    });
  }

  std::size_t size() const noexcept { return keys_.size(); }

  void commit() noexcept {
    keys_.commit();
    watermark_.commit();
  }

  template <class A>
  void archive(A& a) requires archivable<K> && archivable<T> && archivable<Version> {
    a(watermark_, keys_);
    if constexpr (A::reads)
      rollback(); // makes the agenda
  }

  void rollback() {
    keys_.rollback();
    watermark_.rollback();
    agenda_.clear();
    keys_.for_each([&](const K& key, const entry& here) {
      for (const auto& v : here.versions)
        agenda_.remind(v.time, key);
      for (const auto& x : here.waiting)
        agenda_.remind(x.time, key);
    });
  }

private:
  template <class X>
  struct dated {
    void archive(auto& a) requires archivable<X> { a(time, value); }
    event_time time;
    X value;
  };
  struct entry {
    void archive(auto& a) requires archivable<T> && archivable<Version> { a(versions, waiting); }
    std::vector<dated<Version>> versions; // by time
    std::vector<dated<T>> waiting;
  };

  template <class F>
  static void answer(entry& here, event_time watermark, F& found) {
    const auto ready = std::stable_partition(here.waiting.begin(), here.waiting.end(),
                                             [&](const auto& x) { return x.time < watermark; });
    std::stable_sort(here.waiting.begin(), ready, [](const auto& a, const auto& b) { return a.time < b.time; });
    for (auto x = here.waiting.begin(); x != ready; ++x) {
      const auto after = std::ranges::upper_bound(here.versions, x->time, {}, &dated<Version>::time);
      found(std::as_const(x->value),
            after == here.versions.begin() ? nullptr : &std::as_const(std::prev(after)->value));
    }
    here.waiting.erase(here.waiting.begin(), ready);
    // Of the versions before the watermark only the last can still be asked for.
    const auto after = std::ranges::lower_bound(here.versions, watermark, {}, &dated<Version>::time);
    if (after - here.versions.begin() > 1)
      here.versions.erase(here.versions.begin(), std::prev(after));
  }

  restorable<event_time> watermark_{start_of_time};
  keyed_table<K, entry> keys_;
  agenda<K> agenda_;
};

} // namespace troupe::pipeline
