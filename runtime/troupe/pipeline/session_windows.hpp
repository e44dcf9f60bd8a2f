// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/agenda.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/window.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// The open sessions of many keys, with one accumulator `A` for each.
///
/// An element that comes out of order may extend a session backwards, or close the gap between two, which become one. A
/// session is complete when the watermark reaches its end: no element that could still belong to it comes after that.
/// What a batch changes can be rolled back. Pure.
template <class K, class A>
requires merges<A>
class session_windows {
public:
  session_windows(session kind, event_duration lateness, A prototype)
      : gap_{kind.gap}, lateness_{lateness}, prototype_{std::move(prototype)} {}

  /// Adds what happened at `t`, by calling `add(accumulator)`. Calls `late(window, accumulator)` if the session that it has
  /// become a part of was complete already. Returns false if it is late for good: no session could hold it any more.
  template <class Add, class Late>
  bool add(const K& key, event_time t, Add&& add_to, Late&& late) {
    if (later_by(t + gap_, lateness_) <= watermark_.get())
      return false;
    auto& all = keys_.touch(key);
    auto& s = join(all, t);
    add_to(s.accumulator);
    const auto end = s.last + gap_;
    if (s.reminded < s.start) { // a new one
      s.reminded = end;
      agenda_.remind(end, key);
    }
    if (end <= watermark_.get()) {
      s.said = true;
      late(window{s.start, end}, std::as_const(s.accumulator));
    }
    return true;
  }

  /// Event time has reached `watermark`. Calls `complete(key, window, accumulator)` for each session that is complete now, and
  /// forgets those whose lateness is over.
  template <class F>
  void advance(event_time watermark, F&& complete) {
    if (watermark <= watermark_.get())
      return;
    watermark_.change() = watermark;
    agenda_.due(watermark, [&](const K& key) { look_at(key, complete); });
  }

  event_time watermark() const noexcept { return watermark_.get(); }
  /// Keys with sessions.
  std::size_t size() const noexcept { return keys_.size(); }

  void commit() noexcept {
    keys_.commit();
    watermark_.commit();
  }

  void rollback() {
    keys_.rollback();
    watermark_.rollback();
    agenda_.clear();
    keys_.for_each([&](const K& key, const sessions& all) {
      for (std::size_t i = 0; i < all.size(); ++i)
        agenda_.remind(all[i].last + gap_, key);
    });
  }

private:
  struct open_session {
    event_time start;
    event_time last;
    event_time reminded = start_of_time; // a reminder of this session exists; before `start`: none yet
    bool said = false;                   // its result was said
    A accumulator;
  };

  /// The sessions of a key, by time. Nearly always there is one, which needs no memory of its own.
  class sessions {
  public:
    std::size_t size() const noexcept { return (first_ ? 1 : 0) + later_.size(); }
    const open_session& operator[](std::size_t i) const noexcept { return i == 0 ? *first_ : later_[i - 1]; }
    open_session& operator[](std::size_t i) noexcept { return i == 0 ? *first_ : later_[i - 1]; }

    void insert(std::size_t at, open_session s) {
      if (at == 0 && first_)
        std::swap(*first_, s);
      if (!first_)
        first_ = std::move(s);
      else
        later_.insert(later_.begin() + static_cast<std::ptrdiff_t>(at == 0 ? 0 : at - 1), std::move(s));
    }

    void erase(std::size_t at) {
      if (at > 0)
        later_.erase(later_.begin() + static_cast<std::ptrdiff_t>(at - 1));
      else if (later_.empty())
        first_.reset();
      else {
        first_ = std::move(later_.front());
        later_.erase(later_.begin());
      }
    }

  private:
    std::optional<open_session> first_;
    std::vector<open_session> later_;
  };

  /// The session that `t` belongs to, extended by it; a new one if there is none.
  open_session& join(sessions& all, event_time t) {
    std::size_t i = 0;
    while (i < all.size() && all[i].last + gap_ <= t)
      ++i;
    if (i == all.size() || t + gap_ <= all[i].start) {
      all.insert(i, open_session{.start = t, .last = t, .accumulator = prototype_});
      return all[i];
    }
    auto& s = all[i];
    s.start = std::min(s.start, t);
    s.last = std::max(s.last, t);
    while (i + 1 < all.size() && all[i + 1].start < s.last + gap_) {
      auto& other = all[i + 1];
      s.last = std::max(s.last, other.last);
      s.accumulator.merge(other.accumulator);
      all.erase(i + 1);
    }
    return all[i];
  }

  template <class F>
  void look_at(const K& key, F& complete) {
    auto* all = keys_.touch_existing(key);
    if (all == nullptr)
      return;
    for (std::size_t i = 0; i < all->size();) {
      auto& s = (*all)[i];
      const auto end = s.last + gap_;
      if (end > watermark_.get()) {
        remind_once(s, end, key);
        ++i;
        continue;
      }
      if (!s.said) {
        s.said = true;
        complete(key, window{s.start, end}, std::as_const(s.accumulator));
      }
      if (later_by(end, lateness_) > watermark_.get()) {
        remind_once(s, later_by(end, lateness_), key);
        ++i;
      } else {
        all->erase(i);
      }
    }
    if (all->size() == 0)
      keys_.erase(key);
  }

  void remind_once(open_session& s, event_time at, const K& key) {
    if (s.reminded == at)
      return;
    s.reminded = at;
    agenda_.remind(at, key);
  }

  event_duration gap_;
  event_duration lateness_;
  A prototype_;
  restorable<event_time> watermark_{start_of_time};
  keyed_table<K, sessions> keys_;
  agenda<K> agenda_;
};

} // namespace troupe::pipeline
